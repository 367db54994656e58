"""Workbooks of pages: the publisher's words above a table with merged bands, printed totals, notes below.

A page prints one table. What a reader must cope with stands here once: bands merged over columns whose names repeat,
blank spacer columns, ratios with `-` where there is nothing to divide by, text beside the table.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import xlsxwriter

from data.synthetic.documents import Cell, Table, TotalRow

# Nobody reads this mailbox: the domain is reserved and cannot exist.
CONTACT = "fictional.data@nhs.invalid"


@dataclass(frozen=True)
class Printed:
    """One column of a page: the table's column or a ratio of its columns, under a label; a spacer has neither.

    Without a label of its own a column has the table's. A ratio is of its first column to the sum of the others;
    `nothing` is the ratio to 0.
    """

    column: int | None = None
    label: Cell = None
    ratio: tuple[int, ...] | None = None
    nothing: Cell = "-"


@dataclass(frozen=True)
class Band:
    """A label merged over columns of one row (positions from 1, as a spreadsheet counts)."""

    row: int
    first: int
    last: int
    label: Cell


@dataclass
class Page:
    """One sheet: rows and columns count from 1.

    `totals_at` are the rows of the table's totals that this page prints; a page that prints no rows of its own
    (`rows_from` None) repeats totals of a table that another page holds.
    """

    name: str
    preamble: Sequence[tuple[int, str, Cell]]
    table: Table
    printed: Sequence[Printed]
    header_row: int
    first_column: int
    rows_from: int | None
    totals_at: dict[int, int] = field(default_factory=dict)
    bands: Sequence[Band] = ()
    loose: Sequence[tuple[int, int, Cell]] = ()
    notes: Sequence[str] = ()


@dataclass
class Workbook:
    """One issue of a publication; `created` is the day of publication, whatever the clock says."""

    feed: str
    name: str
    created: dt.date
    pages: list[Page]

    def tables(self) -> dict[str, Table]:
        """The table of each page that prints rows, by the name of the sheet."""
        return {page.name: page.table for page in self.pages if page.rows_from is not None}

    def copy(self) -> Workbook:
        """A copy whose tables can be edited; pages that shared a table share its copy."""
        copies = {id(page.table): page.table.copy() for page in self.pages}
        return replace(self, pages=[replace(page, table=copies[id(page.table)]) for page in self.pages])

    def set_preamble(self, sheet: str | None, label: str, value: Cell) -> None:
        """Put a value beside a label above the table of a sheet, or of every sheet that has the label.

        Raises `ValueError` when no such sheet has it.
        """
        pages = [page for page in self.pages if sheet in (None, page.name)]
        labelled = [page for page in pages if label in (words for _, words, _ in page.preamble)]
        if not labelled:
            raise ValueError(f"no {label} above the table")
        for page in labelled:
            page.preamble = [(row, words, value if words == label else said) for row, words, said in page.preamble]

    def render(self) -> bytes:
        """The bytes of the workbook."""
        content = io.BytesIO()
        book = xlsxwriter.Workbook(content, {"in_memory": True})
        book.set_properties({"created": dt.datetime.combine(self.created, dt.time(9, 30))})
        pen = Pen(book.add_format({"num_format": "dd-mmm-yy"}), book.add_format({"bold": True, "align": "center"}))
        for page in self.pages:
            _draw(book.add_worksheet(page.name), page, pen)
        book.close()
        return content.getvalue()


@dataclass(frozen=True)
class Pen:
    """The two formats in use: dates, and merged bands."""

    date: Any
    band: Any

    def write(self, sheet: Any, row: int, column: int, cell: Cell) -> None:
        """One cell, counted from 1; nothing is written for None."""
        if isinstance(cell, dt.date):
            sheet.write_datetime(row - 1, column - 1, cell, self.date)
        elif isinstance(cell, str):
            sheet.write_string(row - 1, column - 1, cell)
        elif cell is not None:
            sheet.write_number(row - 1, column - 1, cell)


def preamble(
    title: str,
    summary: str,
    period: str,
    source: str,
    published: Cell,
    *,
    revised: Cell = "-",
    basis: str = "Provider",
    status: str = "Published",
) -> list[tuple[int, str, Cell]]:
    """The words above a table as most publications of NHS England lay them out: rows 2 to 11, row 4 empty."""
    return [
        (2, "Title:", title),
        (3, "Summary:", summary),
        (5, "Period:", period),
        (6, "Source:", source),
        (7, "Basis:", basis),
        (8, "Published:", published),
        (9, "Revised:", revised),
        (10, "Status:", status),
        (11, "Contact:", CONTACT),
    ]


def ordinal(day: dt.date) -> str:
    """A date as these publications write it: 12th March 2020."""
    ending = "th" if 11 <= day.day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return f"{day.day}{ending} {day:%B %Y}"


def long_date(day: dt.date) -> str:
    """A date without its leading zero: 2 December 2019."""
    return f"{day.day} {day:%B %Y}"


def _draw(sheet: Any, page: Page, pen: Pen) -> None:
    for row, label, value in page.preamble:
        pen.write(sheet, row, 2, label)
        pen.write(sheet, row, 3, value)
    for row, column, cell in page.loose:
        pen.write(sheet, row, column, cell)
    for band in page.bands:
        _merge(sheet, band, pen)
    for column, printed in enumerate(page.printed, start=page.first_column):
        pen.write(sheet, page.header_row, column, _label(page.table, printed))
    for row, index in page.totals_at.items():
        _line(sheet, page, row, _of_total(page.table, page.table.totals[index]), pen)
    last = page.header_row
    if page.rows_from is not None:
        for row, cells in enumerate(page.table.rows, start=page.rows_from):
            _line(sheet, page, row, cells, pen)
        last = page.rows_from + len(page.table.rows)
    for row, words in enumerate(page.notes, start=max([last, *page.totals_at]) + 2):
        pen.write(sheet, row, 2, words)


def _label(table: Table, printed: Printed) -> Cell:
    if printed.column is None or printed.label is not None:
        return printed.label
    name = table.columns[printed.column]
    return table.labels.get(name, name)


def _merge(sheet: Any, band: Band, pen: Pen) -> None:
    if band.first == band.last:
        pen.write(sheet, band.row, band.first, band.label)
        return
    style = pen.date if isinstance(band.label, dt.date) else pen.band
    sheet.merge_range(band.row - 1, band.first - 1, band.row - 1, band.last - 1, band.label, style)


def _line(sheet: Any, page: Page, row: int, cells: Sequence[Cell], pen: Pen) -> None:
    for column, printed in enumerate(page.printed, start=page.first_column):
        if printed.column is not None:
            pen.write(sheet, row, column, cells[printed.column])
        elif printed.ratio:
            part, *wholes = (cells[place] for place in printed.ratio)
            pen.write(sheet, row, column, _ratio(part, wholes, printed.nothing))


def _ratio(part: Cell, wholes: Sequence[Cell], nothing: Cell) -> Cell:
    numbers = [whole for whole in wholes if isinstance(whole, int | float)]
    if not isinstance(part, int | float) or len(numbers) < len(wholes):
        return None
    whole = sum(numbers)
    return part / whole if whole else nothing


def _of_total(table: Table, total: TotalRow) -> list[Cell]:
    first = table.figures_from or 0
    label: list[Cell] = [words or None for words in total.label]
    return [*label, *[None] * (first - len(label)), *total.values]
