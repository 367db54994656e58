"""Deaths by trust and day of death: trusts on one sheet, their regions on another, both under names that changed."""

from __future__ import annotations

import datetime as dt

from data.synthetic.deaths_activity import AWAITING, BEFORE, DEATHS, FEED, FIRST, ISSUES, TO_DATE, Issue
from data.synthetic.documents import Cell, Table, TotalRow
from data.synthetic.england import England
from data.synthetic.layouts.pages import CONTACT, Page, Printed, Workbook, long_date
from data.synthetic.publication import DAY, Publication, days_from

KEYS = ("NHS England Region", "Code", "Name")
REGION_NAMES = {
    "Y61": "East Of England",
    "Y56": "London",
    "Y60": "Midlands",
    "Y63": "North East And Yorkshire",
    "Y62": "North West",
    "Y59": "South East",
    "Y58": "South West",
}
BEFORE_LABEL, AWAITING_LABEL, TOTAL_LABEL = "Up to 01-Mar-20", "Awaiting verification", "Total"
NOTE = (
    "Note: interpretation of the figures should take into account the fact that totals by date of death, particularly "
    "for most recent days, are likely to be updated in future releases."
)
TITLE = "COVID-19 daily deaths summary"
AGES = ("0 - 19 yrs", "20 - 39", "40 - 59", "60 - 79", "80+", "TBC")
OLD_NAMES = {
    "chart": "COVID19 total deaths chart",
    "trust": "COVID19 total deaths by trust",
    "region": "COVID19 total deaths by region",
    "age": "COVID19 total deaths by age",
}
NEW_NAMES = {
    "contents": "Contents",
    "chart": "Fig1 All deaths",
    "region": "Tab1 Deaths by region",
    "age": "Tab3 Deaths by age",
    "trust": "Tab4 Deaths by trust",
}


def deaths_workbooks(england: England, publications: list[Publication]) -> list[Workbook]:
    """One workbook an issue; the second has the later names and order of the sheets."""
    return [
        _workbook(england, publication, issue, names)
        for publication, issue, names in zip(publications, ISSUES, (OLD_NAMES, NEW_NAMES), strict=True)
    ]


def _workbook(england: England, publication: Publication, issue: Issue, names: dict[str, str]) -> Workbook:
    table = _table(england, publication, issue)
    pages = {"trust": _by_trust, "region": _by_region, "age": _by_age}
    return Workbook(
        FEED,
        f"COVID-19-total-deaths-by-trust-{issue.published:%d-%B-%Y}.xlsx",
        issue.published,
        [pages.get(kind, _words_alone)(name, _words(issue), table) for kind, name in names.items()],
    )


def _words(issue: Issue) -> list[tuple[int, str, Cell]]:
    return [
        (2, "Title:", TITLE),
        (
            3,
            "Summary:",
            "Deaths of patients who have died in hospitals in England and have tested positive for COVID-19.",
        ),
        (4, "Period:", f"All data up to 5pm {long_date(issue.last)}"),
        (5, "Source:", "COVID-19 Patient Notification System"),
        (6, "Basis:", "Provider"),
        (7, "Published:", long_date(issue.published)),
        (8, "Revised:", "-"),
        (9, "Status:", "Published"),
        (10, "Contact:", CONTACT),
    ]


Words = list[tuple[int, str, Cell]]


def _by_trust(name: str, words: Words, table: Table) -> Page:
    figures = range(len(KEYS), len(table.columns) - 2)
    return Page(
        name,
        words,
        table,
        [Printed(0), Printed(), Printed(1), Printed(2), *[Printed(place) for place in figures], *_last(table)],
        header_row=16,
        first_column=2,
        rows_from=19,
        totals_at={17: 0},
        loose=[(12, 2, "Trust level data"), (14, 2, NOTE)],
    )


def _by_region(name: str, words: Words, table: Table) -> Page:
    figures = range(len(KEYS), len(table.columns) - 2)
    return Page(
        name,
        words,
        table,
        [Printed(0), Printed(), *[Printed(place) for place in figures], *_last(table)],
        header_row=16,
        first_column=2,
        rows_from=None,
        totals_at={17: 1} | {19 + place: 2 + place for place in range(len(REGION_NAMES))},
        loose=[(12, 2, "Regional summary"), (14, 2, NOTE)],
    )


def _last(table: Table) -> list[Printed]:
    """A spacer before each of the last two columns."""
    awaiting, total = len(table.columns) - 2, len(table.columns) - 1
    return [Printed(), Printed(awaiting), Printed(), Printed(total)]


def _by_age(name: str, words: Words, table: Table) -> Page:
    """England by age, all of it of the oldest: nobody loads this sheet."""
    figures = [0] * (len(table.columns) - len(KEYS))
    rows: list[list[Cell]] = [
        ["Total", *table.totals[0].values],
        *[[age, *(table.totals[0].values if age == "80+" else figures)] for age in AGES],
    ]
    ages = Table(["Age group", *table.columns[len(KEYS) :]], rows, figures_from=1)
    return Page(
        name,
        words,
        ages,
        [Printed(0), Printed(), *[Printed(place) for place in range(1, len(ages.columns) - 2)], *_last(ages)],
        header_row=16,
        first_column=2,
        rows_from=17,
        loose=[(12, 2, "Breakdown by age group"), (14, 2, NOTE)],
    )


def _words_alone(name: str, words: Words, table: Table) -> Page:
    """A sheet that holds a chart or a list of contents."""
    loose: list[tuple[int, int, Cell]] = [(12, 2, "Time series by date of death")]
    return Page(name, words, Table([], []), (), header_row=12, first_column=2, rows_from=None, loose=loose)


def _table(england: England, publication: Publication, issue: Issue) -> Table:
    days = days_from(FIRST, issue.last)
    columns: list[Cell] = [*KEYS, BEFORE_LABEL, *days, AWAITING_LABEL, TOTAL_LABEL]
    cells: list[tuple[str, dt.date]] = [(BEFORE, FIRST - DAY), *[(DEATHS, day) for day in days]]
    cells += [(AWAITING, issue.last), (TO_DATE, issue.last)]
    organisations = {organisation.code: organisation for organisation in england.organisations}
    order = list(REGION_NAMES)
    rows: list[list[Cell]] = [
        [
            REGION_NAMES[organisations[code].region.code],
            code,
            organisations[code].upper_name,
            *[publication.figures[cell][code] for cell in cells],
        ]
        for code in sorted(
            publication.figures[cells[0]],
            key=lambda code: (order.index(organisations[code].region.code), organisations[code].upper_name),
        )
    ]
    totals = [
        TotalRow(["-", "-", "ENGLAND"]),
        TotalRow(["England", "", ""]),
        *[TotalRow([name, "", ""], name) for name in REGION_NAMES.values()],
    ]
    first = len(KEYS)
    table = Table(columns, rows, key=1, figures_from=first, group=0, totals=totals)
    table.wholes = {len(columns) - 1: tuple(range(first, len(columns) - 1))}
    table.recalculate_totals()
    return table
