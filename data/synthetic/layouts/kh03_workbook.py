"""KH03 as NHS England prints it: providers and regions by sector, specialties, data quality; and the England series."""

from __future__ import annotations

from data.synthetic.documents import Cell, Table, TotalRow
from data.synthetic.england import England
from data.synthetic.geography import NATION_CODE
from data.synthetic.kh03_activity import (
    FEED,
    ISSUES,
    LATE,
    MEASURES,
    RESTATED,
    SERIES,
    SERIES_PUBLISHED,
    Quarter,
)
from data.synthetic.layouts.pages import Band, Page, Printed, Workbook, ordinal, preamble
from data.synthetic.organisations import Organisation
from data.synthetic.publication import Publication

LABELS = {
    "total": "Total ",
    "general_acute": "General & Acute",
    "learning_disabilities": "Learning Disabilities",
    "maternity": "Maternity",
    "mental_illness": "Mental Illness",
}
BANDS = ("Available", "Occupied")
KEYS = ("Year", "Period End", "Region Code", "Org Code", "Org Name")
SERIES_KEYS = ("Year", "Period", "Org Name")
REGION_NAMES = {
    "Y56": "LONDON COMMISSIONING REGION",
    "Y58": "SOUTH WEST OF ENGLAND COMMISSIONING REGION",
    "Y59": "SOUTH EAST OF ENGLAND COMMISSIONING REGION",
    "Y60": "MIDLANDS COMMISSIONING REGION",
    "Y61": "EAST OF ENGLAND COMMISSIONING REGION",
    "Y62": "NORTH WEST OF ENGLAND COMMISSIONING REGION",
    "Y63": "NORTH EAST OF ENGLAND COMMISSIONING REGION",
}
SPECIALTIES = (
    "100 General Surgery",
    "101 Urology",
    "110 Trauma & Orthopaedics",
    "300 General Medicine",
    "430 Geriatric",
)
SOURCE = "NHS England: SDCS data collection - KH03"
SUMMARY = "KH03 is the collection of data to monitor beds open overnight that are consultant led."


def kh03_workbooks(england: England, publications: list[Publication]) -> list[Workbook]:
    """One workbook an issue of a quarter, then the series."""
    *quarters, series = publications
    books = [
        _workbook(england, publication, quarter, number)
        for number, (publication, quarter) in enumerate(zip(quarters, ISSUES, strict=True), start=1)
    ]
    return [*books, _series_workbook(series)]


def _workbook(england: England, publication: Publication, quarter: Quarter, number: int) -> Workbook:
    organisations = {organisation.code: organisation for organisation in england.trusts}
    sectors = _sectors(publication, quarter, organisations)
    title = "Average daily number of available and occupied beds open overnight by sector"
    words = _words(title, quarter)
    nation, *regions = range(len(sectors.totals))
    figures = _printed_sectors(len(KEYS))
    pages = [
        Page(
            "NHS Trust by Sector",
            words,
            sectors,
            [*[Printed(place) for place in range(len(KEYS))], *figures],
            header_row=15,
            first_column=2,
            rows_from=18,
            totals_at={16: nation},
            bands=_bands(7),
            loose=[(13, 2, "Provider Level Data"), (13, 5, 227)],
        ),
        Page(
            "Region by Sector",
            words,
            sectors,
            [Printed(0), Printed(1), Printed(2), Printed(4, "AT Name"), *figures],
            header_row=15,
            first_column=2,
            rows_from=None,
            totals_at={16: nation} | {18 + place: region for place, region in enumerate(regions)},
            bands=_bands(6),
            loose=[(13, 2, "Area Team Level Data")],
        ),
        Page(
            "Occupied by Specialty",
            _words("Average daily number of occupied beds open overnight by Consultant Specialty", quarter),
            (specialties := _specialties(sectors)),
            [Printed(place) for place in range(len(specialties.columns))],
            header_row=15,
            first_column=2,
            rows_from=18,
            totals_at={16: 0},
            loose=[(13, 2, "Provider Level Data")],
        ),
        _data_quality(quarter, organisations),
    ]
    revised = "-Revised" if quarter.revised else ""
    name = f"Beds-Open-Overnight-Web_File-Q{quarter.number}-{quarter.financial_year}{revised}-zz03{number}.xlsx"
    return Workbook(FEED, name, quarter.revised or quarter.published, pages)


def _words(title: str, quarter: Quarter) -> list[tuple[int, str, Cell]]:
    return preamble(
        title,
        SUMMARY,
        f"{quarter.first:%B} to {quarter.last:%B %Y}",
        SOURCE,
        ordinal(quarter.published),
        revised=ordinal(quarter.revised) if quarter.revised else None,
        status="Public",
    )


def _printed_sectors(first: int) -> list[Printed]:
    """Available, spacer, occupied, spacer, share occupied: the same five names three times."""
    available = [Printed(first + place) for place in range(5)]
    occupied = [Printed(first + 5 + place) for place in range(5)]
    shares = [
        Printed(label=label, ratio=(first + 5 + place, first + place)) for place, label in enumerate(LABELS.values())
    ]
    return [*available, Printed(), *occupied, Printed(), *shares]


def _bands(first: int) -> list[Band]:
    return [
        Band(14, first + 6 * place, first + 6 * place + 4, label) for place, label in enumerate((*BANDS, "% Occupied"))
    ]


def _columns(keys: tuple[str, ...]) -> tuple[list[Cell], dict[Cell, Cell], dict[int, tuple[int, ...]]]:
    """Columns called `Available Total` and so on, what is printed of each, and the totals with their parts."""
    labels: dict[Cell, Cell] = {f"{band} {label.strip()}": label for band in BANDS for label in LABELS.values()}
    first = len(keys)
    wholes = {at: tuple(range(at + 1, at + 5)) for at in (first, first + 5)}
    return [*keys, *labels], labels, wholes


def _sectors(publication: Publication, quarter: Quarter, organisations: dict[str, Organisation]) -> Table:
    columns, labels, wholes = _columns(KEYS)
    year, month = quarter.financial_year, f"{quarter.last:%B}"
    order = list(REGION_NAMES)
    codes = publication.figures["available_beds__total__kh03", quarter.first]
    rows: list[list[Cell]] = [
        [
            year,
            month,
            organisations[code].region.code,
            code,
            organisations[code].upper_name,
            *[
                publication.figures[f"{measure}__{sector}__kh03", quarter.first][code]
                for measure in MEASURES
                for sector in LABELS
            ],
        ]
        for code in sorted(codes, key=lambda code: (order.index(organisations[code].region.code), code))
    ]
    totals = [
        TotalRow([year, month, "", "", "England"]),
        *[TotalRow([year, month, code, "", name], code) for code, name in REGION_NAMES.items()],
    ]
    table = Table(columns, rows, key=3, figures_from=len(KEYS), group=2, totals=totals, wholes=wholes, labels=labels)
    table.recalculate_totals()
    return table


def _specialties(sectors: Table) -> Table:
    """Occupied general and acute beds shared out over a few specialties: nobody loads this sheet."""
    occupied = sectors.columns.index("Occupied General & Acute")
    rows = [
        [*row[: len(KEYS)], *[round(float(row[occupied] or 0) / len(SPECIALTIES), 4)] * len(SPECIALTIES)]  # type: ignore[arg-type]
        for row in sectors.rows
    ]
    table = Table(
        [*KEYS, *SPECIALTIES],
        rows,
        key=3,
        figures_from=len(KEYS),
        totals=[TotalRow(sectors.totals[0].label)],
    )
    table.recalculate_totals()
    return table


def _data_quality(quarter: Quarter, organisations: dict[str, Organisation]) -> Page:
    """Free text and a list of who revised, in two columns from A; codes may carry a space."""
    loose: list[tuple[int, int, Cell]] = [
        (1, 1, f"Data Quality KH03 Q{quarter.number} {quarter.financial_year}"),
        (3, 1, "This file includes all data submitted up to its publication."),
    ]
    if quarter.revised:
        loose.append((5, 1, f"Organisations that have revised their data in {quarter.revised:%B %Y} for this quarter:"))
        revised = sorted({code for code, _ in RESTATED} | {LATE})
        for row, code in enumerate(revised, start=7):
            loose += [(row, 1, f"{code} "), (row, 2, organisations[code].name.title().replace("Nhs", "NHS"))]
    return Page("Data Quality", (), Table([], []), (), header_row=1, first_column=1, rows_from=None, loose=loose)


def _series_workbook(series: Publication) -> Workbook:
    columns, labels, wholes = _columns(SERIES_KEYS)
    rows: list[list[Cell]] = [
        [
            quarter.financial_year.replace("-", "/"),
            f"Q{quarter.number}",
            "England",
            *[
                series.figures[f"{measure}__{sector}__kh03_series", quarter.first][NATION_CODE]
                for measure in MEASURES
                for sector in LABELS
            ],
        ]
        for quarter in SERIES
    ]
    table = Table(columns, rows, key=1, figures_from=len(SERIES_KEYS), wholes=wholes, labels=labels)
    begins, ends = rows[0], rows[-1]
    words = preamble(
        "Average Daily Available and Occupied Beds Timeseries",
        "KH03 collects the number of available and occupied beds open overnight that are consultant led.",
        f"{begins[1]} {begins[0]} to {ends[1]} {ends[0]}",
        "NHS England: data collection - KH03",
        ordinal(SERIES_PUBLISHED),
        revised=None,
        status="Public",
    )
    page = Page(
        "Open Overnight",
        words,
        table,
        [*[Printed(place) for place in range(len(SERIES_KEYS))], *_printed_sectors(len(SERIES_KEYS))],
        header_row=14,
        first_column=2,
        rows_from=15,
        bands=[Band(13, band.first, band.last, band.label) for band in _bands(5)],
        notes=("Notes: ",),
    )
    return Workbook(FEED, "Beds-Timeseries-Open-Overnight-to-Q1-2020-21-zz039.xlsx", SERIES_PUBLISHED, [page])
