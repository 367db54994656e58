"""Successions and memberships: which lists can be true of organisations."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from pipelines.adapters import catalogue
from pipelines.domain.gates import Batch, intervals, successions
from pipelines.domain.refusals import Refused

FEED = catalogue.feed("ods_succession")
ROWS = {"org_code": pl.String, "successor_code": pl.String, "effective_date": pl.Date, "source_row": pl.Int32}
DAY = dt.date(2020, 4, 1)


def broken(*links: str) -> dict[str, list[str]]:
    """Which successions (`A>B`, a later one `A>B later`) are told as wrong, by what is wrong with them."""
    rows = []
    for number, link in enumerate(links):
        codes, _, later = link.partition(" ")
        old, new = codes.split(">")
        rows.append((old, new, DAY + dt.timedelta(days=365 * bool(later)), number))
    view = successions(Batch(pl.DataFrame(rows, schema=ROWS, orient="row"), dt.date.max), {})
    wrong = {
        "twice": view["times"] > 1,
        "circular": view["is_circular"],
        "alone": view["is_of_itself_alone"],
    }
    told = {
        name: [links[row] for row, is_so in zip(view["source_row"], mask, strict=True) if is_so]
        for name, mask in wrong.items()
    }
    return {name: found for name, found in told.items() if found}


@pytest.mark.parametrize(
    ("links", "wrong"),
    [
        (["A>B", "C>B", "B>D later"], {}),
        (["A>B", "A>C"], {}),
        (["A>A", "A>B"], {}),
        (["A>B", "A>B"], {"twice": ["A>B", "A>B"]}),
        (["A>B", "A>B later"], {}),
        (["A>A"], {"alone": ["A>A"]}),
        (["A>A", "A>B later"], {"alone": ["A>A"]}),
        (["A>B", "B>A later"], {"circular": ["A>B", "B>A later"]}),
        (["A>B", "B>C", "C>A", "W>X", "X>A", "C>Y", "Y>Z", "Z>V"], {"circular": ["A>B", "B>C", "C>A"]}),
    ],
)
def test_successions(links: list[str], wrong: dict[str, list[str]]) -> None:
    """No circle however long; a code is its own successor only beside another on the same day."""
    assert broken(*links) == wrong


def test_a_list_of_trusts_and_its_kind() -> None:
    content = "\ufefftrust_code_old,trust_code_new,from_date\r\nZA1,ZA2,2020-04-01\r\n".encode()
    reading = catalogue.reader(FEED)(content, FEED, catalogue.known(), "trust_mergers.csv")
    assert reading.rows.select("org_code", "successor_code", "effective_date", "org_kind").rows() == [
        ("ZA1", "ZA2", DAY, "trust")
    ]
    with pytest.raises(Refused, match="row 2, column C: effective_date: not a date"):
        catalogue.reader(FEED)(content.replace(b"2020-04-01", b"April 2020"), FEED, catalogue.known(), "x.csv")


@pytest.mark.parametrize(
    ("spans", "inside", "after"),
    [
        (["2001-04-01 2013-03-31", "2013-04-01 -"], [True, True], [True, True]),
        (["2001-04-01 2013-03-31", "2013-03-31 -"], [True, True], [True, False]),
        (["2001-04-01 -", "2013-04-01 -"], [True, True], [True, False]),
        (["2001-04-01 2013-03-31", "2002-01-01 2002-12-31", "2013-03-01 -"], [True] * 3, [True, False, False]),
        (["2001-04-01 2001-03-31"], [False], [True]),
    ],
)
def test_memberships_follow_each_other(spans: list[str], inside: list[bool], after: list[bool]) -> None:
    """One commissioner a day: the last day of one is before the first of the next."""
    rows = [
        ("A81001", dt.date.fromisoformat(start), None if end == "-" else dt.date.fromisoformat(end), number)
        for number, (start, end) in enumerate(span.split() for span in spans)
    ]
    schema = {"org_code": pl.String, "join_date": pl.Date, "leave_date": pl.Date, "source_row": pl.Int32}
    view = intervals(Batch(pl.DataFrame(rows, schema=schema, orient="row"), dt.date.max), {})
    assert (view["days_inside"] >= 0).fill_null(True).to_list() == inside
    assert (view["days_after"] >= 1).fill_null(True).to_list() == after
