"""The weekly COVID-19 hospital activity workbook: one sheet per measure, providers down, days across."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass, replace
from typing import Any

import xlsxwriter

from data.synthetic.bed_activity import FEED, ISSUES, Issue
from data.synthetic.documents import Cell, Table, TotalRow
from data.synthetic.england import England
from data.synthetic.geography import REGIONS
from data.synthetic.layouts.covid_sheets import SHEETS, SheetText
from data.synthetic.publication import Publication

KEYS = ("Type 1 Acute?", "NHS England Region", "Code", "Name")
HEADER_ROW, NATION_ROW, REGIONS_ROW, PROVIDERS_ROW, LAST_ROW = 15, 16, 18, 25, 200
# Nobody reads this mailbox: the domain is reserved and cannot exist.
CONTACT = "fictional.covid-data@nhs.invalid"
EXCEL_EPOCH = dt.date(1899, 12, 30)


@dataclass
class Sheet:
    """One sheet: the publisher's words above the table, and the table."""

    text: SheetText
    period: str
    table: Table


@dataclass
class CovidWorkbook:
    """One weekly issue."""

    feed: str
    name: str
    published: dt.date
    sheets: list[Sheet]

    def tables(self) -> dict[str, Table]:
        """The table of each sheet, by its name."""
        return {sheet.text.name: sheet.table for sheet in self.sheets}

    def copy(self) -> CovidWorkbook:
        """A copy whose tables can be edited."""
        return replace(self, sheets=[replace(sheet, table=sheet.table.copy()) for sheet in self.sheets])

    def render(self) -> bytes:
        """The bytes of the workbook; it was created on the day of publication, whatever the clock says."""
        content = io.BytesIO()
        book = xlsxwriter.Workbook(content, {"in_memory": True})
        book.set_properties({"created": dt.datetime.combine(self.published, dt.time(9, 30))})
        formats = {
            "published": book.add_format({"num_format": "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy"}),
            "day": book.add_format({"num_format": 15, "bold": True}),
            "count": book.add_format({"num_format": 3}),
            "bold": book.add_format({"bold": True}),
        }
        for sheet in self.sheets:
            page = book.add_worksheet(sheet.text.name)
            _write_preamble(page, sheet, self.published, formats)
            _write_header(page, sheet.table, formats)
            _write_totals(page, sheet.table, formats)
            _write_providers(page, sheet.table)
        book.close()
        return content.getvalue()


def covid_workbooks(england: England, publications: list[Publication]) -> list[CovidWorkbook]:
    """One workbook per issue; a sheet whose measure the issue does not carry is not there."""
    return [
        CovidWorkbook(
            FEED,
            f"Weekly-covid-admissions-and-beds-publication-{issue.published:%y%m%d}.xlsx",
            issue.published,
            [_sheet(england, publication, issue, text) for text in SHEETS if issue.days(text.metric_id)],
        )
        for issue, publication in zip(ISSUES, publications, strict=True)
    ]


def _sheet(england: England, publication: Publication, issue: Issue, text: SheetText) -> Sheet:
    days = issue.days(text.metric_id)
    figures = [publication.figures[text.metric_id, day] for day in days]
    rows: list[list[Cell]] = [
        [
            "Yes" if provider.kind == "acute" else "No",
            provider.region.name,
            provider.code,
            provider.upper_name,
            *[by_provider[provider.code] for by_provider in figures],
        ]
        for region in REGIONS
        for provider in sorted(england.sitrep_providers, key=lambda provider: provider.code)
        if provider.region is region and provider.code in figures[0]
    ]
    table = Table(
        columns=[*KEYS, *days],
        rows=rows,
        key=2,
        figures_from=len(KEYS),
        group=1,
        totals=[
            TotalRow(["", "", "-", "ENGLAND"]),
            *[TotalRow(["", "", "", region.name], region.name) for region in REGIONS],
        ],
    )
    table.recalculate_totals()
    return Sheet(text, f"{days[0]:%d %B %Y} to {days[-1]:%d %B %Y}", table)


def _write_preamble(page: Any, sheet: Sheet, published: dt.date, formats: dict[str, Any]) -> None:
    metadata = (
        ("Title:", sheet.text.title),
        ("Summary:", sheet.text.summary),
        ("Period:", sheet.period),
        ("Source:", "COVID-19 NHS Situation Report"),
        ("Basis:", "Provider"),
        ("Published:", published),
        ("Status:", "Published"),
        ("Contact:", CONTACT),
    )
    for row, (label, value) in enumerate(metadata, start=1):
        page.write_string(row, 0, label)
        if isinstance(value, dt.date):
            page.write_datetime(row, 1, value, formats["published"])
        else:
            page.write_string(row, 1, value)
    for row, words in enumerate((sheet.text.heading, sheet.text.coverage, sheet.text.meaning), start=10):
        page.write_string(row, 0, words)
    if sheet.text.note:
        page.write_string(13, 1, sheet.text.note)


def _write_header(page: Any, table: Table, formats: dict[str, Any]) -> None:
    """The first day is a date, each next one the day before plus 1, as long as that is what it is."""
    row, before = HEADER_ROW - 1, None
    for column, cell in enumerate(table.columns):
        if not isinstance(cell, dt.date):
            page.write_string(row, column, str(cell), formats["bold"])
        elif before and cell == before + dt.timedelta(days=1):
            formula = f"={_letters(column - 1)}{HEADER_ROW}+1"
            page.write_formula(row, column, formula, formats["day"], (cell - EXCEL_EPOCH).days)
        else:
            page.write_datetime(row, column, cell, formats["day"])
        before = cell if isinstance(cell, dt.date) else None


def _write_totals(page: Any, table: Table, formats: dict[str, Any]) -> None:
    """ENGLAND adds the regions and a region its providers: formulas with the results that the table holds."""
    for number, total in enumerate(table.totals):
        row = NATION_ROW if number == 0 else REGIONS_ROW + number - 1
        for column, words in enumerate(total.label):
            if words:
                page.write_string(row - 1, column, words, formats["bold"])
        for column, value in enumerate(total.values, start=len(KEYS)):
            letters = _letters(column)
            formula = (
                f"=SUM({letters}{REGIONS_ROW}:{letters}{REGIONS_ROW + len(REGIONS) - 1})"
                if number == 0
                else f"=SUMIF($B${PROVIDERS_ROW}:$B$999,$D{row},{letters}${PROVIDERS_ROW}:{letters}$999)"
            )
            page.write_formula(row - 1, column, formula, formats["count"], value)


def _write_providers(page: Any, table: Table) -> None:
    """Provider rows, then rows whose first cell holds an empty text, to the end of the template."""
    for row, cells in enumerate(table.rows, start=PROVIDERS_ROW - 1):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                page.write_string(row, column, cell)
            elif isinstance(cell, int | float):
                page.write_number(row, column, cell)
    for row in range(PROVIDERS_ROW - 1 + len(table.rows), LAST_ROW):
        page.write_string(row, 0, "")


def _letters(column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
