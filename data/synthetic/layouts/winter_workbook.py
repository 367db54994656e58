"""The winter daily situation report: nine sheets, one block of columns a return, the date merged over each block."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from data.synthetic.documents import Cell, Table, TotalRow
from data.synthetic.england import England
from data.synthetic.layouts.pages import Band, Page, Printed, Workbook, long_date, preamble
from data.synthetic.publication import Publication
from data.synthetic.winter_activity import (
    ARRIVALS,
    CLOSURES,
    DIVERTS,
    FEED,
    GENERAL_ACUTE,
    ISSUES,
    LONG_STAYS,
    NOROVIRUS,
    OVER_30,
    OVER_60,
    Issue,
    bed_metrics,
)

KEYS = ("NHS England Region", "Code", "Name")
REGION_NAMES = {
    "Y56": "London Commissioning Region",
    "Y61": "East Of England Commissioning Region",
    "Y60": "Midlands  Commissioning Region",
    "Y63": "North East and Yorkshire Commissioning Region",
    "Y62": "North West Of England Commissioning Region",
    "Y59": "South East of England Commissioning Region",
    "Y58": "South West of England Commissioning Region",
}
MACHINE_NAMED_DAYS = 3
RATE = "Occupancy rate"


@dataclass(frozen=True)
class Figure:
    """A column of a block: its label, its metric (none for the rate), the name that a machine gave it."""

    label: str
    metric_id: str | None = None
    machine_name: str = ""


@dataclass(frozen=True)
class SheetText:
    """One sheet; without figures of several kinds the day itself is the header."""

    name: str
    title: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()


def _beds(name: str, title: str, labels: tuple[str, str], machine: str, bed_type: str, what: str) -> SheetText:
    open_beds, occupied = bed_metrics(bed_type)
    return SheetText(
        name,
        title,
        (
            Figure(labels[0], open_beds, f"{machine}_Avail"),
            Figure(labels[1], occupied, f"{machine}_Occ"),
            Figure(RATE),
        ),
        (
            f"1. {what} available",
            f"2. {what} occupied",
            "3. Weekend & bank holiday figures reflect the position on the last day of the stated period",
        ),
    )


SHEETS = (
    SheetText("A&E Closures", "A&E Closures", (Figure("", CLOSURES, "AE_Closures"),)),
    SheetText("A&E Diverts", "A&E Diverts", (Figure("", DIVERTS, "AE_diverts"),)),
    SheetText(
        "G&A beds",
        "General and Acute Beds",
        (
            Figure("Core Beds Open", GENERAL_ACUTE[0], "ganda_core_beds"),
            Figure("Escalation Beds Open", GENERAL_ACUTE[1], "ganda_escalation_beds"),
            Figure("Total Beds Open", GENERAL_ACUTE[2], "ganda_beds_total"),
            Figure("Total beds occ'd", GENERAL_ACUTE[3], "ganda_beds_occupied"),
            Figure(RATE),
        ),
        ("1. Total G&A beds available", "2. Of total G&A beds available, number occupied"),
    ),
    SheetText(
        "Beds Occ by long stay patients",
        "Number of beds occupied by patients who have stays of 7, 14 or 21 days in hospital",
        (
            Figure("> 7 days", LONG_STAYS[0], "Stranded_Patients_Occupied"),
            Figure("> 14 days", LONG_STAYS[1], "Beds_occupied_by_long_stay_patients_14_plus_days"),
            Figure("> 21 days", LONG_STAYS[2], "Extended_Patients_Occupied"),
        ),
        (
            "1. Beds occupied by patients with a length of stay of seven or more days",
            "2. Beds occupied by patients with a length of stay of 21 or more days",
        ),
    ),
    SheetText(
        "D&V, Norovirus",
        "Number of beds unavailable due to D&V/norovirus like symptoms",
        (
            Figure("Beds closed", NOROVIRUS[0], "Beds_Closed_Noro"),
            Figure("Beds closed unocc", NOROVIRUS[1], "Beds_Closed_Noro_Unoccupied"),
        ),
        (
            "1. Number of beds closed due to Diahorrea and Vomitting/norovirus like symptoms",
            "2. Of these beds closed, number unoccupied",
        ),
    ),
    _beds(
        "Adult critical care",
        "Adult Critical Care",
        ("CC Adult Open", "CC Adult Occ"),
        "CritCare_ITUBeds",
        "adult_critical_care",
        "Adult critical care beds",
    ),
    _beds(
        "Paediatric intensive care",
        "Paediatric Intensive Care",
        ("Paed Int Care Open", "Paed Int Care Occ"),
        "Paeds_ITUBeds",
        "paediatric_intensive_care",
        "Paediatric intensive care beds",
    ),
    _beds(
        "Neonatal intensive care ",
        "Neonatal Intensive Care ",
        ("Neo Int Care Open", "Neo Int Care Occ"),
        "Neonatal_ITUBeds",
        "neonatal_critical_care",
        "Neonatal intensive care cots",
    ),
    SheetText(
        "Ambulance Arrivals and Delays",
        "Number of Patients Arriving By Ambulance and Ambulance Handover Delays",
        (
            Figure("Arriving by ambulance", ARRIVALS, "Amb_Handovers"),
            Figure("Delay 30-60 mins", OVER_30, "Amb_Handover_30_to_60"),
            Figure("Delay >60 mins", OVER_60, "Amb_Handover_Over_60"),
        ),
        (
            "1. Number of patients arriving by ambulance",
            "2. Number of ambulance handover delays between 30 and 60 minutes",
            "3. Number of ambulance handover delays greater than 60 minutes",
        ),
    ),
)


def winter_workbooks(england: England, publications: list[Publication]) -> list[Workbook]:
    """One workbook an issue."""
    return [
        Workbook(
            FEED,
            f"Winter-SitRep-Acute-Time-series-2-December-2019-{long_date(issue.last).replace(' ', '-')}.xlsx",
            issue.published,
            [_page(england, publication, issue, text) for text in SHEETS],
        )
        for issue, publication in zip(ISSUES, publications, strict=True)
    ]


def _page(england: England, publication: Publication, issue: Issue, text: SheetText) -> Page:
    """Closures and diverts have the day as header and no band; the others a band of columns a day."""
    table = _table(england, publication, issue, text)
    words = preamble(
        f"Daily Hospital Situation Report - {text.title}",
        "Daily SITREPs highlight winter pressures on the service around the country",
        f"{long_date(issue.periods[0][0])} - {long_date(issue.last)}",
        "NHS Improvement Data Collection",
        issue.published,
    )
    printed = [Printed(0), Printed(), Printed(1), Printed(2)]
    bands: list[Band] = []
    loose: list[tuple[int, int, Cell]] = [(13, 2, "Provider Level Data")]
    figures = [figure for figure in text.figures if figure.metric_id]
    for number, (first, last) in enumerate(issue.periods):
        at = 3 + number * len(figures)
        begins = len(printed) + 2
        printed += [Printed(at + place) for place in range(len(figures))]
        if len(figures) < len(text.figures):
            printed.append(Printed(label=RATE, ratio=(at + len(figures) - 1, at + len(figures) - 2)))
        if not text.notes:
            loose.append((17, begins, 3 + number % 7))
            continue
        ends = len(printed) + 1
        bands.append(Band(14, begins, ends, said(first, last)))
        loose += [(13, column, said(first, last)) for column in range(begins, ends + 1)]
        if number < MACHINE_NAMED_DAYS:
            loose += [(12, begins + place, figure.machine_name) for place, figure in enumerate(figures)]
    if not text.notes:
        loose.append((2, 6, text.figures[0].machine_name))
    return Page(
        text.name,
        words,
        table,
        printed,
        header_row=15,
        first_column=2,
        rows_from=18,
        totals_at={16: 0},
        bands=bands,
        loose=loose,
        notes=("Notes:", *text.notes) if text.notes else (),
    )


def _table(england: England, publication: Publication, issue: Issue, text: SheetText) -> Table:
    """Columns are called by day and label, as `2019-12-03 Total Beds Open`, or by the day alone."""
    figures = [figure for figure in text.figures if figure.metric_id]
    columns: list[Cell] = list(KEYS)
    labels: dict[Cell, Cell] = {}
    cells = []
    for first, last in issue.periods:
        for figure in figures:
            name = f"{first} {figure.label}" if figure.label else said(first, last)
            columns.append(name)
            if figure.label:
                labels[name] = figure.label
            cells.append((figure.metric_id or "", first))
    trusts = {trust.code: trust for trust in england.hospital_trusts}
    order = list(REGION_NAMES)
    codes = publication.figures[cells[0]]
    rows: list[list[Cell]] = [
        [
            REGION_NAMES[trusts[code].region.code],
            code,
            trusts[code].name.title().replace("Nhs", "NHS"),
            *[printed_value(publication, metric_id, day, code) for metric_id, day in cells],
        ]
        for code in sorted(codes, key=lambda code: (order.index(trusts[code].region.code), trusts[code].name))
    ]
    table = Table(columns, rows, key=1, figures_from=len(KEYS), group=0, totals=[TotalRow(["-", "-", "ENGLAND"])])
    table.labels = labels
    if text.name == "G&A beds":
        table.wholes = {at + 2: (at, at + 1) for at in range(len(KEYS), len(columns), len(figures))}
    table.recalculate_totals()
    return table


def printed_value(publication: Publication, metric_id: str, day: dt.date, code: str) -> Cell:
    """A trust that made its other returns and no return of general and acute beds is printed with zeros."""
    value = publication.figures[metric_id, day][code]
    if value is None and metric_id in GENERAL_ACUTE and publication.figures[LONG_STAYS[0], day][code] is not None:
        return 0
    return value


def said(first: dt.date, last: dt.date) -> dt.date | str:
    """The date of a block: a date, or for a return of several days the first and the last in words."""
    return first if first == last else f"{first.day} - {long_date(last)}"
