"""The A&E time series of England: months down; activity, four-hour performance and booked appointments."""

from __future__ import annotations

import datetime as dt

from data.synthetic.ae_activity import BOOKED_FROM, DEPARTMENTS
from data.synthetic.documents import Cell, Table
from data.synthetic.geography import NATION_CODE
from data.synthetic.layouts.pages import Band, Page, Printed, Workbook, ordinal, preamble
from data.synthetic.publication import Publication
from data.synthetic.series_activity import FEED, FIRST, LAST, PUBLISHED, months

TYPES = (
    "Type 1 Departments - Major A&E",
    "Type 2 Departments - Single Specialty",
    "Type 3 Departments - Other A&E/Minor Injury Unit",
)
BY_TYPE = (*DEPARTMENTS, "all")
TITLE = "A&E {} statistics, NHS and independent sector organisations in England"
ARRIVAL = "from arrival to admission, transfer or discharge"
SHARES = ("all", "type 1", "type 2", "type 3")

Named = tuple[str, str, str | None]


def series_workbooks(publications: list[Publication]) -> list[Workbook]:
    """The one issue."""
    [publication] = publications
    pages = [_activity(publication), _performance(publication), _booking(publication), _notes()]
    return [Workbook(FEED, f"Monthly-AE-Time-Series-{LAST:%B-%Y}.xlsx", PUBLISHED, pages)]


def _words(what: str, summary: str, first: dt.date) -> list[tuple[int, str, Cell]]:
    return preamble(
        TITLE.format(what),
        summary,
        f"{first:%B %Y} - present",
        "Unify2 / SDCS data collections - WSitAE and MSitAE",
        ordinal(PUBLISHED),
        revised=ordinal(PUBLISHED),
    )


def _by_type(measure: str, heading: str, total: str) -> list[Named]:
    """Metric, unique name of the column, printed label."""
    return [
        (f"{measure}__{one}", f"{heading} - {label}", label)
        for one, label in zip(BY_TYPE, (*TYPES, total), strict=True)
    ]


def _activity(publication: Publication) -> Page:
    admitted = ("Emergency Admissions via Type 1 A&E", "Emergency Admissions via Type 2 A&E")
    more = ("Emergency Admissions via Type 3 and 4 A&E", "Total Emergency Admissions via A&E")
    columns: list[Named] = [
        *_by_type("attendances", "A&E attendances", "Total Attendances"),
        *[
            (f"emergency_admissions_via_ae__{one}", label, None)
            for one, label in zip(BY_TYPE, (*admitted, *more), strict=True)
        ],
        ("other_emergency_admissions__all", "Other Emergency Admissions (i.e not via A&E)", None),
    ]
    waits: list[Named] = [
        (
            f"waits_dta_over_{hours}_hours__all",
            f"Number of patients spending >{hours} hours from decision to admit to admission",
            None,
        )
        for hours in (4, 12)
    ]
    table = _table(publication, FIRST, [*columns, *waits])
    everyone = len(columns) + 1
    table.columns.insert(everyone, "Total Emergency Admissions")
    for row in table.rows:
        row.insert(everyone, float(str(row[8])) + float(str(row[9])))
    table.wholes = {4: (1, 2, 3), 8: (5, 6, 7), everyone: (8, 9)}
    loose: list[tuple[int, int, Cell]] = [
        (12, 2, "England Level Data"),
        (14, 16, "Operational standard (Performance)"),
        (14, 18, 0.95),
    ]
    loose += [(15 + place, 16, 0.95) for place in range(len(table.rows))]
    return Page(
        "Activity",
        _words("Attendances & Emergency Admission", "Estimated A&E attendance and emergency admissions", FIRST),
        table,
        [Printed(place) for place in range(len(table.columns))],
        header_row=14,
        first_column=2,
        rows_from=15,
        bands=[Band(13, 3, 6, "A&E attendances"), Band(13, 7, 12, "Emergency Admissions")],
        loose=loose,
    )


def _performance(publication: Publication) -> Page:
    within, over = (f"A&E attendances {than} than 4 hours {ARRIVAL}" for than in ("less", "greater"))
    table = _table(
        publication,
        FIRST,
        [
            *_by_type("within_four_hours", within, "Total Attendances < 4 hours"),
            *_by_type("over_four_hours", over, "Total Attendances > 4 hours"),
        ],
    )
    table.wholes = {4: (1, 2, 3), 8: (5, 6, 7)}
    return Page(
        "Performance",
        _words(
            "Attendances & Emergency Admission",
            "Estimated A&E performance timeseries by month\nNote that the shaded months of May 2019 to May 2023 cannot "
            "be directly compared with other months, as these exclude 14 NHS Trusts",
            FIRST,
        ),
        table,
        [*[Printed(place) for place in range(9)], *_shares(1, 5, "")],
        header_row=14,
        first_column=2,
        rows_from=15,
        bands=[
            Band(13, 3, 6, within),
            Band(13, 7, 10, over),
            Band(13, 11, 14, "Percentage of attendances within 4 hours"),
        ],
    )


def _shares(within: int, over: int, ending: str) -> list[Printed]:
    """All departments first, then each type."""
    return [
        Printed(
            label=f"Percentage in 4 hours or less ({which}){ending}",
            ratio=(within + place, within + place, over + place),
        )
        for which, place in zip(SHARES, (3, 0, 1, 2), strict=True)
    ]


def _booking(publication: Publication) -> Page:
    """Booked appointments within four hours are printed and not loaded: they are the difference of the other two."""
    came = "A&E Booked Appointment attendances"
    within = f"A&E Booked Appointment attendances less than or equal to 4 hours {ARRIVAL}"
    over = f"A&E Booked Appointments attendances greater than 4 hours {ARRIVAL}"
    table = _table(
        publication,
        BOOKED_FROM,
        [
            *_by_type("attendances_booked", came, "Total attendances"),
            *_by_type("over_four_hours_booked", over, "Booked Appointment Attendances > 4 hours"),
        ],
    )
    names = [f"{within} - {label}" for label in (*TYPES, "Booked Appointment Attendances <= 4 hours")]
    table.columns[5:5] = names
    table.labels |= dict(zip(names, (*TYPES, "Booked Appointment Attendances <= 4 hours"), strict=True))
    for row in table.rows:
        row[5:5] = [float(str(row[1 + place])) - float(str(row[5 + place])) for place in range(4)]
    table.wholes = {4: (1, 2, 3), 8: (5, 6, 7), 12: (9, 10, 11)}
    return Page(
        "Booking",
        _words(
            "Booked Appointment Attendances", "Estimated A&E Booked Appointment Attendances  timeseries", BOOKED_FROM
        ),
        table,
        [*[Printed(place) for place in range(13)], *_shares(5, 9, " (Booked Appointments Only)")],
        header_row=13,
        first_column=2,
        rows_from=14,
        bands=[
            Band(12, 3, 6, came),
            Band(12, 7, 10, within),
            Band(12, 11, 14, over),
            Band(12, 15, 18, "Percentage of attendances within 4 hours"),
        ],
    )


def _notes() -> Page:
    loose: list[tuple[int, int, Cell]] = [
        (4, 2, "Notes: \n"),
        (5, 2, 1),
        (5, 3, "Field testing for new performance standards (CRS) started in May 2019"),
    ]
    words = [(2, "Title:", TITLE.format("Attendances & Emergency Admission"))]
    return Page("Notes", words, Table([], []), (), header_row=4, first_column=2, rows_from=None, loose=loose)


def _table(publication: Publication, first: dt.date, columns: list[Named]) -> Table:
    rows: list[list[Cell]] = [
        [month, *[publication.figures[f"{metric}__ae_timeseries", month][NATION_CODE] for metric, _, _ in columns]]
        for month in months()
        if month >= first
    ]
    labels: dict[Cell, Cell] = {name: label for _, name, label in columns if label}
    return Table(["Period", *[name for _, name, _ in columns]], rows, key=0, figures_from=1, labels=labels)
