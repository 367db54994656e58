"""Worksheets of figures: small sheets in, figures out, or the sentence that refuses them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.feeds import Column, Era, Feed, FigureColumn, Known, Reading, SheetOfFigures
from pipelines.domain.reading.cells import Line, Sheet
from pipelines.domain.reading.sheets import figures_of
from pipelines.domain.refusals import Refused
from tests.support.drawn import sheet as drawn
from tests.support.drawn import typed

KNOWN = Known(
    regions={"LONDON": "Y56", "MIDLANDS": "Y60"},
    icbs={"NORTH EAST LONDON": "QMF"},
    icb_codes=frozenset({"QMF"}),
    received_on=dt.date(2021, 6, 1),
)
KEYS = ("region", "org_code", "org_name")
COLUMNS = (
    Column(name="region", meaning="Region", use="key", role="region", aliases=("Region",)),
    Column(
        name="org_code",
        meaning="Code",
        use="key",
        role="org_code",
        aliases=("Code", "ONS Geography"),
        pattern="[A-Z0-9]{3,9}",
    ),
    Column(name="local_code", meaning="Other code", use="key", role="org_code", aliases=("Local",), required=False),
    Column(name="org_name", meaning="Name", use="key", role="org_name", aliases=("Name",)),
    Column(name="icb", meaning="System", use="key", role="icb", aliases=("ICS",), required=False),
    Column(name="year", meaning="Year", use="key", role="year", aliases=("Year",), required=False),
    Column(name="quarter", meaning="Quarter", use="key", role="quarter", aliases=("Period End",), required=False),
    Column(name="month", meaning="Month", use="key", role="period", aliases=("Month",), required=False),
)
OPEN_AND_OCCUPIED = (
    FigureColumn(labels=("Open",), metric_id="open__all__x"),
    FigureColumn(labels=("Occ",), metric_id="occ__all__x"),
    FigureColumn(labels=("Rate",)),
)


def feed(*sheets: SheetOfFigures, **facts: Any) -> Feed:
    """A feed with these worksheets."""
    return Feed(
        feed="wards",
        title="Wards",
        description="Wards",
        supplier="Nobody",
        publication="Wards",
        owner="team:nobody",
        kind="figures",
        format="workbook",
        cadence={"every": "day", "late_after_days": 1},
        columns=COLUMNS,
        sheets=sheets,
        **facts,
    )


def sheet(text: str, name: str = "Wards") -> Sheet:
    """A drawn worksheet, named as the feed has it."""
    return drawn(text, name)


def wards(**facts: Any) -> Feed:
    """A feed with one worksheet `Wards` of organisations."""
    return feed(SheetOfFigures(**{"names": ("Wards",), "keys": KEYS, "columns": OPEN_AND_OCCUPIED} | facts))


def read(declared: Feed, *sheets: Sheet) -> Reading:
    return figures_of(list(sheets), declared, KNOWN, "wards.xlsx")


def told(reading: Reading) -> list[str]:
    """Each figure in short: whose, what, when, how much and in which state if not reported."""
    lines = []
    for row in reading.rows.iter_rows(named=True):
        whose = row["org_code"] or {"published_nation": "ENGLAND"}.get(row["record"], row["region_code"])
        days = {row["period_start"], row["period_end"]}
        when = " to ".join(day.isoformat() for day in sorted(days))
        state = "" if row["status"] == "reported" else f" {row['status']}"
        amount = "nothing" if row["value"] is None else f"{row['value']:g}"
        lines.append(f"{whose} {row['metric_id'].split('__')[0]} {when}: {amount}{state}")
    return lines


def refusal(declared: Feed, *sheets: Sheet) -> str:
    with pytest.raises(Refused) as refused:
        read(declared, *sheets)
    return str(refused.value)


BLOCKS = """
       | Title:  |        |         | A year of wards
       |         |        |         | beds_open   |         |     |             |
       |         |        |         | @2020-01-30 | {again} |     | @2020-01-31 | @2020-01-31 |
       |         |        |         | {band}      |         |     | @2020-01-31 |             |
       | Region  | Code   | Name    | Open        | Occ     |Rate | Open        | Occ         | Rate
       | -       | -      | ENGLAND | 30          | 19      | .6  | 20          | 18          | 0.9
       |         |        |         | 3           | 4       |5    | 6           | 7           | 8
       | London  | ZA1    | One     | 10          | 9       | .9  | 10          | 9           | 0.9
       | London  | ZA2    | Two     | 20          | 10      | .5  | 10          | 9           | 0.9
       |         |        |         |             |         |     |             |             |
       | Notes:  |        |         |             |         |     |             |             |
"""
DAILY = [
    "ENGLAND open 2020-01-30: 30",
    "ZA1 open 2020-01-30: 10",
    "ZA2 open 2020-01-30: 20",
    "ENGLAND occ 2020-01-30: 19",
    "ZA1 occ 2020-01-30: 9",
    "ZA2 occ 2020-01-30: 10",
    "ENGLAND open 2020-01-31: 20",
    "ZA1 open 2020-01-31: 10",
    "ZA2 open 2020-01-31: 10",
    "ENGLAND occ 2020-01-31: 18",
    "ZA1 occ 2020-01-31: 9",
    "ZA2 occ 2020-01-31: 9",
]


def blocks(again: str = "@2020-01-30", band: str = "@2020-01-30", name: str = "Wards") -> Sheet:
    """Two blocks of a day each: a line of dates over every column, a merged band, names, helper numbers, notes."""
    return sheet(BLOCKS.format(again=again, band=band), name)


@pytest.mark.parametrize(
    "grid",
    [
        blocks(),
        blocks(again=""),
        blocks(name="wards "),
        blocks(band="30 January 2020"),
        Sheet("Wards", [Line(line.number, line.cells[1:]) for line in blocks().lines]),
    ],
    ids=["dates repeated", "dates in the first cell", "name with a blank", "date as text", "from column A"],
)
def test_a_day_band_dates_its_block(grid: Sheet) -> None:
    """A band stands in the first cell of its block only; helper numbers, notes and rates are no figures."""
    assert told(read(wards(), grid)) == DAILY


@pytest.mark.parametrize(
    ("band", "period"),
    [
        ("29 - 30 January 2020", "2020-01-29 to 2020-01-30"),
        ("28/01/2020 - 30/01/2020", "2020-01-28 to 2020-01-30"),
    ],
)
def test_a_band_of_several_days_is_one_period(band: str, period: str) -> None:
    """A date inside the range agrees with it."""
    assert told(read(wards(), blocks(band=band)))[1] == f"ZA1 open {period}: 10"


@pytest.mark.parametrize(
    ("grid", "says"),
    [
        (blocks(band="@2020-01-29"), "row 5, column E: the lines above the header give it two different days"),
        (blocks(again="@2020-01-29"), "row 5, column F: the lines above the header give it two different days"),
        (blocks(band="30 - 31 January 2020"), "row 5, column H: Open stands twice in the header"),
    ],
)
def test_bands_that_disagree_refuse(grid: Sheet, says: str) -> None:
    assert says in refusal(wards(), grid)


def edited(*edits: tuple[int, int, str]) -> Sheet:
    """The two blocks with cells changed: row and column from 1."""
    grid = blocks()
    for row, column, cell in edits:
        cells = grid.lines[row - 1].cells
        assert isinstance(cells, list)
        cells[column - 1] = typed(cell)
    return grid


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        ([(3, 8, ""), (3, 9, ""), (4, 8, "")], "Open stands twice in the header"),
        ([(5, 9, "Beds")], "column 'Beds' is not declared and has values"),
        ([(5, 9, ""), (8, 9, ""), (9, 9, "")], "row 6, column I: values under no header"),
        ([(5, 9, "Rate")], "column 'Occ' is missing under 2020-01-31"),
        ([(5, 3, "Kode")], "no header for Wards: column 'Code' is missing"),
        ([(5, 2, "Code")], "no header for Wards: column 'Region' is missing"),
        ([(3, 5, ""), (3, 6, ""), (4, 5, "")], "no day above the column"),
        ([(6, 4, "")], "figures of nobody"),
        ([(9, 2, ""), (9, 3, ""), (9, 4, "")], "row 9: figures of nobody"),
        ([(8, 2, "Nowhere")], "row 8: names no region"),
        ([(8, 5, "many")], "row 8, column E: not a plain number"),
    ],
)
def test_what_does_not_fit_refuses_with_its_place(edits: list[tuple[int, int, str]], says: str) -> None:
    assert says in refusal(wards(), edited(*edits))


def test_a_column_without_values_needs_no_declaration() -> None:
    """An undeclared name over nothing is let pass, and so are zeros of a sum under no name."""
    grid = edited((5, 9, "Spare"), *((row, 9, "") for row in range(6, 10)))
    declared = wards(
        columns=(OPEN_AND_OCCUPIED[0], FigureColumn(labels=("Occ",), metric_id="occ__all__x", required=False))
    )
    rate = [(row, column, "") for row in (5, 6, 8, 9) for column in (7, 10)]
    for row, column, cell in rate:
        grid.lines[row - 1].cells[column - 1] = cell  # type: ignore[index]
    grid.lines[5].cells[6] = 0.0  # type: ignore[index]
    assert len(told(read(declared, grid))) == 9


def test_a_lone_hyphen_and_nothing_are_not_reported_and_zero_is_zero() -> None:
    lines = told(read(wards(), edited((8, 5, "-"), (8, 6, ""), (9, 5, "0"))))
    assert {"ZA1 open 2020-01-30: nothing not_reported", "ZA1 occ 2020-01-30: nothing not_reported"} <= set(lines)
    assert "ZA2 open 2020-01-30: 0" in lines


HEADINGS = """
 Period: | January 2020 |      |       |             |      |       |       |       |
         |              |      |       | Available   |      |       | Occupied |    |
 Year    | Period End   | Code | Name  | Total       | Wards|       | Total | Wards |       | Moved
 2019-20 | March        |      | England | 3         | 2    | 0     | 2     | 1     |2019-20| 7
 2019-20 | March        | ZA1  | One   | 3           | 2    |       | 2     | 1     | March | 7
"""
BY_HEADING = tuple(
    FigureColumn(headings=(heading,), labels=(label,), metric_id=f"{heading.lower()}_{label.lower()}__all__x")
    for heading in ("Available", "Occupied")
    for label in ("Total", "Wards")
)


def test_names_that_repeat_are_told_apart_by_the_heading_above() -> None:
    """A heading ends at a column without a name; zeros and repeats of the keys under no name are no figures."""
    declared = wards(
        keys=("year", "quarter", "org_code", "org_name"),
        dated_by="row",
        columns=(
            *BY_HEADING,
            FigureColumn(headings=("Occupied",), labels=("Moved",)),
            FigureColumn(labels=("Moved",), metric_id="moved__all__x", dated_by="period"),
        ),
    )
    assert [line for line in told(read(declared, sheet(HEADINGS))) if line.startswith("ZA1")] == [
        "ZA1 available_total 2020-01-01 to 2020-03-31: 3",
        "ZA1 available_wards 2020-01-01 to 2020-03-31: 2",
        "ZA1 occupied_total 2020-01-01 to 2020-03-31: 2",
        "ZA1 occupied_wards 2020-01-01 to 2020-03-31: 1",
        "ZA1 moved 2020-01-01 to 2020-01-31: 7",
    ]


AGES = """
 Period: | 8th December 2020 to 14th February 2021 |||||
 Region  | ICS               | 1st dose |       |   | 2nd dose |     | All doses
         |                   | Under 80 | {old} |   | Under 80 | 80+ |
 Total   |                   | 11       | 21    |   | 1        | 2   | 35
         |                   |          |       |   |          |     |
 London  | North East London | 10       | 20    |   | 1        | 2   | 33
"""


def doses(**facts: Any) -> Feed:
    """A feed with one worksheet of doses, bands of age below the doses."""
    columns = (
        FigureColumn(headings=("1st dose",), metric_id="first_{band}__all__x"),
        FigureColumn(headings=("2nd dose",), metric_id="second_{band}__all__x"),
        FigureColumn(labels=("All doses",), metric_id="total__all__x"),
    )
    declared = SheetOfFigures(
        **{"names": ("Wards",), "rows": "icbs", "keys": ("region", "icb"), "dated_by": "last_day", "columns": columns}
        | facts
    )
    return feed(declared, bands=("under_80", "80_and_over"))


def test_headings_may_stand_beside_the_keys_with_age_bands_below() -> None:
    assert told(read(doses(), sheet(AGES.format(old="80+")))) == [
        f"{whose} {what} 2021-02-14: {value}"
        for what, england, london in [
            ("first_under_80", 11, 10),
            ("first_80_and_over", 21, 20),
            ("second_under_80", 1, 1),
            ("second_80_and_over", 2, 2),
            ("total", 35, 33),
        ]
        for whose, value in [("E92000001", england), ("QMF", london)]
    ]


def test_an_age_band_that_the_registry_lacks_is_named() -> None:
    assert "age band '70-74' is not in the registry" in refusal(doses(), sheet(AGES.format(old="70-74")))


CENSUS = """
 Title:  | Wards open overnight ||
 Period: | January 2020 ||
 Published: | {published} ||
 Revised: | {revised} ||
 Region | Code | Name    | Open | Occ | Rate
        | -    | England | 1    | 5   |
 London | ZA1  | One     | 1    | 5   |
"""


def census(published: str = "12th March 2020", revised: str = "n/a", name: str = "Wards") -> Sheet:
    return sheet(CENSUS.format(published=published, revised=revised), name)


def test_a_census_is_dated_on_its_day_and_a_flow_on_its_month() -> None:
    columns = (OPEN_AND_OCCUPIED[0], OPEN_AND_OCCUPIED[1].model_copy(update={"dated_by": "period"}))
    lines = told(read(wards(dated_by="last_thursday", columns=columns), census()))
    assert lines[1::2] == ["ZA1 open 2020-01-30: 1", "ZA1 occ 2020-01-01 to 2020-01-31: 5"]


@pytest.mark.parametrize(
    ("published", "revised", "day"),
    [
        ("12th March 2020", "n/a", dt.date(2020, 3, 12)),
        ("@2020-03-12", "-", dt.date(2020, 3, 12)),
        ("12 March 2020", "", dt.date(2020, 3, 12)),
        ("12 March 2020", "19th November 2020", dt.date(2020, 11, 19)),
        ("12 March 2020", "@2020-11-19", dt.date(2020, 11, 19)),
    ],
)
def test_the_publication_date_is_the_revised_one_where_it_is_filled(published: str, revised: str, day: dt.date) -> None:
    assert read(wards(dated_by="period"), census(published, revised)).published_on == day


def test_sheets_that_were_published_on_different_days_are_of_different_issues() -> None:
    sheets = [census(), sheet(" Published: | 13 March 2020 | |\n" + REGIONS.format(england="1").strip("\n"), "Regions")]
    assert "the sheets state different publication dates" in refusal(with_regions(hold="printed_totals"), *sheets)


LOCAL = """
 Region        | ONS Geography | Local | Name      | Open | Occ
 -             | -             | -     | England   | 4    | 4
 London        | E09000001     | 001   | Somewhere | 3    | 3
 -             | -             | 9900  | Elsewhere | 1    | 1
"""


def test_where_one_code_is_missing_the_other_tells_whose_the_row_is() -> None:
    columns = tuple(column.model_copy(update={"dated_by": "period"}) for column in OPEN_AND_OCCUPIED[:2])
    grid = sheet(" Period: | January 2020 | | | |" + LOCAL)
    assert {line.split()[0] for line in told(read(wards(columns=columns), grid))} == {"ENGLAND", "E09000001", "9900"}


def days(*, england: float = 10) -> Sheet:
    """One measure, one column a day for a week, a region's row among the organisations."""
    head = " | ".join(f"@2021-03-0{day}" for day in range(1, 8))
    rows = {"| | ENGLAND": england, "| | London": 10, "London | ZA1 | One": 10}
    lines = [
        f"{who} | {' | '.join([str(value)] * 6)} | {'' if who.endswith('One') else 0}" for who, value in rows.items()
    ]
    return sheet("\n".join([f"Region | Code | Name | {head}", *lines]))


def test_the_last_five_days_of_a_lagged_sheet_are_provisional() -> None:
    """Whatever has a value; what is missing stays not reported."""
    declared = wards(metric_id="admissions__all__x", columns=(), provisional_last_days=5)
    rows = read(declared, days()).rows.filter(record="provider")
    assert rows["status"].to_list() == [*["reported"] * 2, *["provisional"] * 4, "not_reported"]
    assert rows["status_reason"].to_list() == [*[None] * 2, *["lagged_tail"] * 4, None]
    without = read(wards(metric_id="admissions__all__x", columns=()), days()).rows
    assert "provisional" not in without["status"].to_list()


@pytest.mark.parametrize(("rows", "count"), [(("ZA1",), 0), (("ENGLAND", "ENGLAND", "ZA1"), 2)])
def test_england_stands_once(rows: tuple[str, ...], count: int) -> None:
    lines = [f"London | {'-' if row == 'ENGLAND' else row} | {row} | 1 | 1" for row in rows]
    grid = sheet("\n".join(["Period: | January 2020 | | |", "Region | Code | Name | Open | Occ", *lines]))
    assert f"{count} ENGLAND rows" in refusal(wards(dated_by="period"), grid)


REGIONS = """
 Period: | January 2020 |  |
 Region  | Name         | Open | Occ
         | England      | {england} | 5
 Y56     | LONDON       | 1    | 5
"""


def with_regions(**facts: Any) -> Feed:
    """Organisations on one worksheet, regions on the other."""
    columns = OPEN_AND_OCCUPIED[:2]
    return feed(
        SheetOfFigures(names=("Wards",), keys=KEYS, dated_by="period", columns=OPEN_AND_OCCUPIED),
        SheetOfFigures(
            names=("Regions",), rows="regions", keys=("region", "org_name"), dated_by="period", columns=columns, **facts
        ),
    )


def test_a_sheet_of_regions_is_the_check_or_figures_of_its_own() -> None:
    """England, which both sheets print, is kept once when it is the check."""
    regions = sheet(REGIONS.format(england="1"), "Regions")
    totals = read(with_regions(hold="printed_totals"), census(), regions).rows
    assert totals.group_by("record").len().sort("record").rows() == [
        ("provider", 2),
        ("published_nation", 2),
        ("published_region", 2),
    ]
    figures = read(with_regions(), regions).rows
    assert figures.select("record", "org_code", "region_code").unique().sort("org_code").rows() == [
        ("provider", "E92000001", None),
        ("provider", "Y56", "Y56"),
    ]


@pytest.mark.parametrize(("england", "accepted"), [("1.0000000001", True), ("1.001", False), ("", False)])
def test_two_sheets_that_print_one_figure_agree_on_it(england: str, accepted: bool) -> None:
    sheets = [census(), sheet(REGIONS.format(england=england), "Regions")]
    declared = with_regions(hold="printed_totals")
    if accepted:
        assert read(declared, *sheets).rows.height == 6
    else:
        says = "sheet Regions, row 3, column C: differs from the same figure on sheet Wards"
        assert says in refusal(declared, *sheets)


def test_a_sheet_about_england_alone_has_a_figure_a_row() -> None:
    declared = wards(rows="nation", keys=("month",), dated_by="row", columns=OPEN_AND_OCCUPIED[:1])
    grid = sheet("Title: | England |\nMonth | Open | \n@2020-01-01 | 1.5 | \n@2020-02-01 | 2 | \n | |\nNotes: | |")
    assert told(read(declared, grid)) == [
        "E92000001 open 2020-01-01 to 2020-01-31: 1.5",
        "E92000001 open 2020-02-01 to 2020-02-29: 2",
    ]


@pytest.mark.parametrize(
    ("era", "grid"),
    [
        (Era(era="the dark ages", sheets=("Old wards",)), census(name="Old wards ")),
        (Era(era="the dark ages", says=("OPEN overnight",)), census()),
        (Era(era="the dark ages", labels=("rate",)), census()),
        (Era(era="the dark ages", before=dt.date(2020, 2, 1)), census()),
    ],
)
def test_a_layout_of_another_era_is_refused_by_its_name(era: Era, grid: Sheet) -> None:
    declared = feed(wards(dated_by="period").sheets[0], not_read=(era,))
    assert "a layout of another era (the dark ages), which is not read" in refusal(declared, grid)


def test_what_the_title_must_say() -> None:
    assert read(wards(dated_by="period", must_say="open overnight"), census()).rows.height == 4
    assert "says 'day only'" in refusal(wards(dated_by="period", must_say="day only"), census())


def test_sheets_that_nobody_declared_are_named() -> None:
    declared = feed(wards(dated_by="period").sheets[0], sheets_not_needed=("Specialties",))
    others = [census(name="Specialties "), census(name="New"), sheet("How this was made", "Notes")]
    assert read(declared, census(), *others).not_loaded == (
        "sheet New: a measure that is not declared",
        "sheet Notes: no provider table",
    )
    assert "no sheet holds the provider table" in refusal(declared, *others)
    assert "a second sheet for Wards" in refusal(declared, census(), census(name="WARDS"))


FIGURES = st.lists(
    st.tuples(st.none() | st.integers(0, 9_999), st.none() | st.integers(0, 9_999)), min_size=3, max_size=3
)


@given(
    blocks=st.lists(FIGURES, min_size=1, max_size=4),
    blank_columns=st.integers(0, 2),
    repeated=st.booleans(),
    merged=st.booleans(),
    swapped=st.booleans(),
)
def test_how_a_sheet_is_laid_out_is_nothing(
    blocks: list[list[tuple[int | None, int | None]]],
    blank_columns: int,
    repeated: bool,
    merged: bool,
    swapped: bool,
) -> None:
    """Columns left blank, days repeated or merged, the order of names in a block: the same figures."""
    first = dt.datetime(2020, 1, 30)
    order = (1, 0) if swapped else (0, 1)
    names = ("Open", "Occ")
    blank: list[Any] = [""] * blank_columns
    dates, band, labels = [*blank, "", "", ""], [*blank, "", "", ""], [*blank, "Region", "Code", "Name"]
    rows: list[list[Any]] = [
        [*blank, "-", "-", "ENGLAND"],
        [*blank, "London", "ZA1", "One"],
        [*blank, "", "ZA2", "Two"],
    ]
    expected = set()
    for number, block in enumerate(blocks):
        day = first + dt.timedelta(days=number)
        dates += [day if repeated or not merged else "", day if repeated else ""]
        band += [day if merged or not repeated else "", ""]
        labels += [names[position] for position in order]
        for row, figures in zip(rows, block, strict=True):
            row += ["" if figures[position] is None else float(figures[position] or 0) for position in order]
            for position in order:
                expected.add((row[blank_columns + 1], names[position].lower(), day.date(), figures[position]))
    grid = [dates, band, labels, *rows]
    found = read(wards(), Sheet("Wards", [Line(number, cells) for number, cells in enumerate(grid, start=1)])).rows
    assert {
        (row["org_code"] or "-", row["metric_id"].split("__")[0], row["period_start"], row["value"])
        for row in found.iter_rows(named=True)
    } == expected
