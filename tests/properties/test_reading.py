"""What holds for every A&E file: how it is laid out and written changes where a figure stands, never what it is."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.adapters import catalogue
from pipelines.domain.feeds import FIGURES, PROVIDER, Known
from pipelines.domain.gates import Batch, published_totals
from pipelines.domain.reading.cells import letter

FEED = catalogue.feed("ae_monthly")
READ = catalogue.reader(FEED)
KNOWN = Known(regions={"MIDLANDS": "Y60", "LONDON": "Y56"}, icb_codes=frozenset(), received_on=dt.date(2026, 1, 1))
LAYOUTS = {layout.name: layout for layout in FEED.layouts}
COLUMNS = {column.name: column for column in FEED.columns}
PLACES = ["source_row", "source_column"]
# However busy the machine is, a law is about what is read.
LAW = settings(deadline=None)
KEYS = ("period", "org_code", "parent_org", "org_name")

Cells = dict[str, str]


@dataclass(frozen=True)
class Publication:
    """A month as the return has it: the layout, and a row of cells by column for each provider."""

    layout: str
    rows: tuple[Cells, ...]

    @property
    def figures(self) -> list[str]:
        """The columns of its figures."""
        return [name for name in LAYOUTS[self.layout].columns if name not in KEYS]

    @property
    def total(self) -> Cells:
        """Its TOTAL row."""
        sums = {name: sum(int(row[name] or 0) for row in self.rows) for name in self.figures}
        return {**dict.fromkeys(KEYS, "TOTAL"), **{name: str(value) for name, value in sums.items()}}


def header(column: str, layout: str) -> str:
    """What a layout calls a column: V1 says `Number of`, where it differs."""
    aliases = COLUMNS[column].aliases
    counted = [alias for alias in aliases if alias.startswith("Number of")]
    others = [alias for alias in aliases if alias not in counted]
    return (counted if layout == "V1" and counted else others)[0]


counts = st.one_of(st.just(""), st.integers(0, 20_000).map(str), st.integers(0, 10**9).map(str))


@st.composite
def publications(draw: st.DrawFn, layouts: tuple[str, ...] = ("V1", "V2", "V3")) -> Publication:
    """A publication of one to eight providers."""
    layout = draw(st.sampled_from(layouts))
    code = st.from_regex(r"[A-Z][0-9][A-Z0-9]{1,4}", fullmatch=True)
    codes = draw(st.lists(code, min_size=1, max_size=8, unique=True))
    figures = [name for name in LAYOUTS[layout].columns if name not in KEYS]
    return Publication(
        layout,
        tuple(
            {
                "period": "MSitAE-JUNE-2021",
                "org_code": code,
                "parent_org": draw(st.sampled_from(["NHS ENGLAND MIDLANDS (EAST) ", "NHS ENGLAND LONDON"])),
                "org_name": draw(st.sampled_from(["A TRUST", "B, TRUST", 'THE "C" TRUST', "D\u00c9 TRUST"])),
                **{name: draw(counts) for name in figures},
            }
            for code in codes
        ),
    )


def grid(publication: Publication, columns: list[str] | None = None) -> list[list[str]]:
    """Header, rows and TOTAL, the columns in the given order."""
    names = columns or list(LAYOUTS[publication.layout].columns)
    lines = [*publication.rows, publication.total]
    return [[header(name, publication.layout) for name in names], *[[row[name] for name in names] for row in lines]]


def written(lines: list[list[str]]) -> bytes:
    """Lines as a CSV file."""
    content = io.StringIO(newline="")
    csv.writer(content, lineterminator="\n").writerows(lines)
    return content.getvalue().encode()


def read(content: bytes) -> pl.DataFrame:
    """The rows that the feed's reader makes of a file."""
    return READ(content, FEED, KNOWN, "June-2021.csv").rows


def without_places(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    """What was read, wherever it stood."""
    columns = [name for name in FIGURES if name not in (*PLACES, "batch")]
    return sorted(rows.select(columns).rows(), key=repr)


@LAW
@given(publications(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_is_nothing(publication: Publication, chance: Any) -> None:
    """Shuffled columns and rows, TOTAL anywhere, other words above: the same figures."""
    columns = list(LAYOUTS[publication.layout].columns)
    chance.shuffle(columns)
    head, *body = grid(publication, columns)
    chance.shuffle(body)
    assert without_places(read(written([["Some words"], [], head, *body]))) == without_places(
        read(written(grid(publication)))
    )


@LAW
@given(publications(layouts=("V1", "V2")))
def test_the_names_of_an_era_are_nothing(publication: Publication) -> None:
    """The same numbers under the headers of V1 and of V2: the same figures in the same places."""
    other = Publication("V1" if publication.layout == "V2" else "V2", publication.rows)
    assert grid(publication)[0] != grid(other)[0]
    assert read(written(grid(publication))).equals(read(written(grid(other))))


@LAW
@given(publications())
def test_every_figure_is_the_one_at_its_place(publication: Publication) -> None:
    """One row a cell, none lost or made; its row number and column letter lead back to what was printed."""
    lines = grid(publication)
    rows = read(written(lines))
    places = {
        f"{letter(index)}{number}": cell for number, line in enumerate(lines, 1) for index, cell in enumerate(line)
    }
    figures = {COLUMNS[name].metric_id: name for name in publication.figures}
    assert rows.height == len(figures) * (len(publication.rows) + 1)
    assert rows.select(*PLACES).is_unique().all()
    for row in rows.iter_rows(named=True):
        printed = places[f"{row['source_column']}{row['source_row']}"]
        assert places[f"{row['source_column']}1"] == header(figures[row["metric_id"]], publication.layout)
        if row["status_reason"] == "field_test":
            assert (row["value"], printed) == (None, "0")
        else:
            assert row["value"] == (float(printed) if printed else None)
        assert row["status"] == ("not_reported" if row["value"] is None else "reported")
        if row["record"] == PROVIDER:
            assert row["org_code"] in lines[row["source_row"] - 1]


@LAW
@given(publications(), st.data())
def test_the_providers_add_up_to_the_nation(publication: Publication, data: st.DataObject) -> None:
    """Where TOTAL is the sum of the rows the gate sees no difference; where it is not, exactly the one there is."""
    head, *body = grid(publication)
    rows = read(written([head, *body]))
    assert _differences(rows) == {}
    column = data.draw(st.sampled_from(publication.figures))
    more = data.draw(st.integers(1, 1000))
    at = list(LAYOUTS[publication.layout].columns).index(column)
    body[-1][at] = str(int(body[-1][at]) + more)
    assert _differences(read(written([head, *body]))) == {COLUMNS[column].metric_id: -float(more)}


def _differences(rows: pl.DataFrame) -> dict[str, float]:
    totals = published_totals(Batch(rows, dt.date(2026, 1, 1)), {})
    assert totals.height == rows["metric_id"].n_unique()
    return dict(totals.filter(pl.col("difference") != 0).select("metric_id", "difference").rows())


@LAW
@given(publications(), st.data())
def test_how_a_number_is_written_is_nothing(publication: Publication, data: st.DataObject) -> None:
    """Thousands commas, blanks around a cell, a lone hyphen for nothing, a byte order mark, CRLF: the same rows."""

    def dressed(cell: str, column: str) -> str:
        if column in publication.figures:
            cell = (
                f"{int(cell):,}" if cell and data.draw(st.booleans()) else cell or data.draw(st.sampled_from(["", "-"]))
            )
        return f"{data.draw(st.sampled_from(['', ' ', chr(160)]))}{cell}{data.draw(st.sampled_from(['', '  ']))}"

    names = list(LAYOUTS[publication.layout].columns)
    head, *body = grid(publication)
    other = written([head, *[[dressed(cell, name) for cell, name in zip(line, names, strict=True)] for line in body]])
    other = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + other.replace(
        b"\n", data.draw(st.sampled_from([b"\n", b"\r\n"]))
    )
    assert read(other).equals(read(written(grid(publication))))
