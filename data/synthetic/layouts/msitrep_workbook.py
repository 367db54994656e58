"""The monthly critical care return: beds under two bands of the same names, shares, transfers; cancelled operations."""

from __future__ import annotations

import datetime as dt

from data.synthetic.documents import Cell, Table, TotalRow
from data.synthetic.england import England
from data.synthetic.layouts.pages import Band, Page, Printed, Workbook, ordinal, preamble
from data.synthetic.msitrep_activity import CANCELLED, CANCELLED_AGAIN, CRITICAL_CARE, FEED, ISSUES, TRANSFERS, Month
from data.synthetic.publication import Publication

KEYS = ("Region", "Code", "Name")
REGION_NAMES = {
    "Y61": "East Of England Commissioning Region",
    "Y56": "London Commissioning Region",
    "Y60": "Midlands Commissioning Region",
    "Y63": "North East And Yorkshire Commissioning Region",
    "Y62": "North West Commissioning Region",
    "Y59": "South East Commissioning Region",
    "Y58": "South West Commissioning Region",
}
BEDS = (
    "Number of Adult critical care beds",
    "Number of Paediatric intensive care beds",
    "Number of Neonatal critical care cots (or beds)",
)
OPEN, OCCUPIED = "Open at Last Thursday on Reporting Period", "Occupied at last Thursday on Reporting Period"
TRANSFERRED = "Number of Non-medical Critical care transfers"
OPERATIONS = ("Urgent Operations Cancelled", "Urgent Operations Cancelled for the 2nd or more time")


def msitrep_workbooks(england: England, publications: list[Publication]) -> list[Workbook]:
    """One workbook a month."""
    return [
        Workbook(
            FEED,
            f"MSitRep-{month.first:%B-%Y}-zz04{number}.xlsx",
            month.published,
            [_beds_page(england, publication, month), _operations_page(england, publication, month)],
        )
        for number, (publication, month) in enumerate(zip(publications, ISSUES, strict=True), start=1)
    ]


def _beds_page(england: England, publication: Publication, month: Month) -> Page:
    """Stray helper numbers stand in row 1, as in one real issue."""
    metrics = [f"{measure}_beds__{bed_type}__msitrep" for measure in ("open", "occupied") for bed_type in CRITICAL_CARE]
    names = [f"{state} {label}" for state in ("Open", "Occupied") for label in BEDS]
    cells = [(metric_id, month.census) for metric_id in metrics] + [(TRANSFERS, month.first)]
    table = _table(england, publication, cells, [*names, TRANSFERRED])
    table.labels = dict(zip(names, [*BEDS, *BEDS], strict=True))
    shares = [
        Printed(label=label.removeprefix("Number of ").capitalize(), ratio=(6 + place, 3 + place), nothing=0)
        for place, label in enumerate(BEDS)
    ]
    return Page(
        "Critical Care Beds",
        _words(
            "Critical Care",
            "Number of Available and Occupied Critical Care Beds on the last Thursday of the month.",
            month,
        ),
        table,
        [*_keys(), *[Printed(3 + place) for place in range(6)], Printed(), *shares, Printed(), Printed(9)],
        header_row=15,
        first_column=2,
        rows_from=18,
        totals_at={16: 0},
        bands=[Band(14, 6, 8, OPEN), Band(14, 9, 11, OCCUPIED), Band(14, 13, 15, "% of Open Beds Occupied")],
        loose=[(1, 6, 5), (1, 7, 7), (1, 8, 9), (13, 2, "Provider Level Data")],
    )


def _operations_page(england: England, publication: Publication, month: Month) -> Page:
    cells = [(CANCELLED, month.first), (CANCELLED_AGAIN, month.first)]
    table = _table(england, publication, cells, list(OPERATIONS))
    return Page(
        "Urgent Operations Cancelled",
        _words(
            "Urgent Operations Cancelled",
            "Total number of Urgent Operations Cancelled within the period, for each Provider",
            month,
        ),
        table,
        [*_keys(), Printed(3), Printed(4)],
        header_row=15,
        first_column=2,
        rows_from=18,
        totals_at={16: 0},
        bands=[Band(14, 6, 7, "Number in Reporting Period")],
        loose=[(13, 2, "Provider Level Data")],
    )


def _keys() -> list[Printed]:
    return [Printed(0), Printed(), Printed(1), Printed(2)]


def _words(title: str, summary: str, month: Month) -> list[tuple[int, str, Cell]]:
    return preamble(
        f"{title}, NHS organisations in England",
        summary,
        f"{month.first:%B %Y}",
        "SDCS Data Collection - MSitRep",
        ordinal(month.published),
        revised="n/a",
    )


def _table(england: England, publication: Publication, cells: list[tuple[str, dt.date]], names: list[str]) -> Table:
    trusts = {trust.code: trust for trust in england.hospital_trusts}
    order = list(REGION_NAMES)
    codes = publication.figures[cells[0]]
    rows: list[list[Cell]] = [
        [
            REGION_NAMES[trusts[code].region.code],
            code,
            trusts[code].name.title().replace("Nhs", "NHS"),
            *[publication.figures[cell][code] for cell in cells],
        ]
        for code in sorted(codes, key=lambda code: (order.index(trusts[code].region.code), trusts[code].name))
    ]
    table = Table(
        [*KEYS, *names],
        rows,
        key=1,
        figures_from=len(KEYS),
        group=0,
        totals=[TotalRow(["-", "-", "England"])],
    )
    table.recalculate_totals()
    return table
