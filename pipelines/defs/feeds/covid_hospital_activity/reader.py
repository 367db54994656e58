"""The weekly COVID-19 hospital activity workbook: one measure a sheet, one column a day, ENGLAND and regions on top.

A sheet is known by its name or by the summary in its preamble, never by its number. A sheet without the provider
table (notes, look-ups) is no data; a provider table of an undeclared measure is named and not loaded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import polars as pl

from pipelines.domain import gates
from pipelines.domain.feeds import (
    FIGURES,
    NOT_REPORTED,
    PROVIDER,
    PUBLISHED_NATION,
    PUBLISHED_REGION,
    REPORTED,
    Feed,
    Known,
    Reading,
    SheetOfFigures,
)
from pipelines.domain.reading import values
from pipelines.domain.reading.cells import Cell, Line, Sheet, fold, is_blank, letter, text
from pipelines.domain.reading.figures import ODS_CODE
from pipelines.domain.reading.workbook import read_workbook
from pipelines.domain.refusals import MOST_LINES, Reason, Refused, printable, refuse

SEARCHED_FOR_HEADER = 60
NATION = "england"


@dataclass
class DaySheet:
    """A provider table found on a sheet: where its keys and its days stand."""

    sheet: Sheet
    measure: SheetOfFigures
    header: Line
    body: Sequence[Line]
    keys: dict[str, int]
    days: dict[int, dt.date]
    reasons: list[Reason] = field(default_factory=list)

    def add(self, what: str, line: Line, index: int | None = None) -> None:
        """Record a place that does not fit."""
        column = letter(index) if index is not None else None
        self.reasons.append(Reason(what, self.sheet.name, line.number, column))

    def key(self, line: Line, name: str) -> Cell:
        """A key cell of a line."""
        index = self.keys.get(name)
        return line.cells[index] if index is not None and index < len(line.cells) else None


def read(content: bytes, feed: Feed, known: Known, file_name: str) -> Reading:
    """Every declared measure of the workbook. Raises `Refused` with every place that does not fit."""
    tables: list[DaySheet] = []
    not_loaded: list[str] = []
    published: set[dt.date] = set()
    for sheet in read_workbook(content):
        header = _header(sheet, feed)
        measure = _measure(sheet, header, feed)
        if measure is None:
            what = "no provider table" if header is None else "a measure that is not declared"
            not_loaded.append(f"sheet {printable(sheet.name or '')}: {what}")
            continue
        if header is None:
            raise _without_header(sheet, measure, feed)
        if any(table.measure == measure for table in tables):
            raise refuse(f"a second sheet for {measure.metric_id}", sheet=sheet.name)
        tables.append(_table(sheet, measure, header, feed))
        stated = _published(sheet, header)
        published |= {stated} if stated else set()
    if not tables:
        raise refuse("no sheet holds the provider table (Code, Name and a column a day): is it this publication?")
    if len(published) > 1:
        raise refuse("the sheets state different publication dates")
    frames = [_figures(table, known) for table in tables]
    reasons = [reason for table in tables for reason in table.reasons]
    if reasons:
        raise Refused(*reasons)
    rows = pl.concat(frames)
    return Reading(
        rows=rows,
        layout=f"{len(tables)} sheets",
        published_on=next(iter(published), None) or values.revised_in_name(file_name),
        period_start=min(min(table.days.values()) for table in tables),
        period_end=max(max(table.days.values()) for table in tables),
        not_loaded=tuple(not_loaded),
    )


def _header(sheet: Sheet, feed: Feed) -> Line | None:
    """The first line that names the code and name columns."""
    needed = _needed(feed)
    for line in sheet.lines[:SEARCHED_FOR_HEADER]:
        labels = {fold(cell) for cell in line.cells if isinstance(cell, str)}
        if all(labels & aliases for aliases in needed.values()):
            return line
    return None


def _needed(feed: Feed) -> dict[str, set[str]]:
    """What each required column is called, by the name that is told when it is missing."""
    return {column.aliases[0]: {fold(alias) for alias in column.aliases} for column in feed.columns if column.required}


def _without_header(sheet: Sheet, measure: SheetOfFigures, feed: Feed) -> Refused:
    """The refusal of a sheet that says it holds a measure and has no header for it: names what lacks."""
    lines = [{fold(cell) for cell in line.cells if isinstance(cell, str)} for line in sheet.lines[:SEARCHED_FOR_HEADER]]
    nearest = max(lines, key=lambda labels: sum(bool(labels & one) for one in _needed(feed).values()), default=set())
    missing = ", ".join(repr(name) for name, aliases in _needed(feed).items() if not nearest & aliases)
    return refuse(f"no header for {measure.metric_id}: column {missing} is missing", sheet=sheet.name)


def _measure(sheet: Sheet, header: Line | None, feed: Feed) -> SheetOfFigures | None:
    """The measure that the sheet's name or its preamble declares; they may not contradict each other."""
    above = sheet.lines[: header.number - 1] if header else sheet.lines[:SEARCHED_FOR_HEADER]
    summaries = {fold(text(cell)) for cell in _beside(above, "summary")}
    by_name = [m for m in feed.sheets if fold(sheet.name or "") in {fold(name) for name in m.names}]
    by_summary = [m for m in feed.sheets if summaries & {fold(summary) for summary in m.summaries}]
    if by_name and by_summary and by_name[0] not in by_summary:
        raise refuse(
            f"the sheet's name says {by_name[0].metric_id}, its summary {by_summary[0].metric_id}", sheet=sheet.name
        )
    return next(iter(by_name or by_summary), None)


def _table(sheet: Sheet, measure: SheetOfFigures, header: Line, feed: Feed) -> DaySheet:
    keys: dict[str, int] = {}
    days: dict[int, dt.date] = {}
    table = DaySheet(sheet, measure, header, sheet.lines[header.number :], keys, days)
    aliases = {fold(alias): column.name for column in feed.columns for alias in column.aliases}
    width = max(len(line.cells) for line in [header, *table.body])
    for index in range(width):
        cell = header.cells[index] if index < len(header.cells) else None
        name = aliases.get(fold(cell)) if isinstance(cell, str) else None
        if name is not None:
            if name in keys:
                table.add(f"column {printable(text(cell))!r} stands twice in the header", header, index)
            keys[name] = index
            continue
        try:
            day = values.date(cell)
        except values.NotThis:
            day = None
        if day is not None:
            if day in days.values():
                table.add(f"{day} stands twice in the header", header, index)
            days[index] = day
            continue
        filled = next(
            (line for line in table.body if index < len(line.cells) and not is_blank(line.cells[index])), None
        )
        if filled is not None:
            label = text(cell)
            table.add(
                f"column {printable(label)!r} is not declared and has values" if label else "values under no header",
                filled,
                index,
            )
    for column in feed.columns:
        if column.required and column.name not in keys:
            table.add(f"column {column.aliases[0]!r} is missing from the header", header)
    if not days:
        table.add("no column of a day in the header", header)
    if table.reasons:
        raise Refused(*table.reasons)
    return table


def _beside(lines: Sequence[Line], label: str) -> list[Cell]:
    """The cells that stand right of a label such as `Summary:` in the preamble and are filled."""
    return [
        cell
        for line in lines
        for name, cell in pairwise(line.cells)
        if isinstance(name, str) and fold(name).rstrip(":") == label and not is_blank(cell)
    ]


def _published(sheet: Sheet, header: Line) -> dt.date | None:
    """The publication date in the preamble: `Revised:` where it is filled, else `Published:`."""
    above = sheet.lines[: header.number - 1]
    for label in ("revised", "published"):
        for cell in _beside(above, label):
            try:
                return values.date(cell)
            except values.NotThis:
                raise refuse(f"{label.title()}: not a date", sheet=sheet.name) from None
    return None


def _figures(table: DaySheet, known: Known) -> pl.DataFrame:
    """The table as one row per cell; ENGLAND and the regions are published totals."""
    records: list[dict[str, object]] = []
    cells: dict[int, list[float | None]] = {index: [] for index in table.days}
    nations = 0
    for line in table.body:
        if all(is_blank(cell) for cell in line.cells):
            continue
        head = _head(table, line, known)
        if head is None:
            continue
        nations += head["record"] == PUBLISHED_NATION
        records.append(head)
        for index, column in cells.items():
            cell = line.cells[index] if index < len(line.cells) else None
            try:
                column.append(values.number(cell))
            except values.NotThis as error:
                table.add(str(error), line, index)
                column.append(None)
        if len(table.reasons) > MOST_LINES:
            break
    if nations != 1:
        table.add(f"{nations} ENGLAND rows where there is one: the sheet is cut short or was changed", table.header)
    if not any(record["record"] == PROVIDER for record in records):
        table.add("no provider rows below the header", table.header)
    if table.reasons:
        return pl.DataFrame(schema=FIGURES).drop("batch")
    keys = {name: FIGURES[name] for name in ("record", "org_code", "org_name", "region_code", "source_row")}
    wide = pl.DataFrame(records, schema=keys).with_columns(
        pl.Series(letter(index), column, dtype=pl.Float64) for index, column in cells.items()
    )
    days = pl.DataFrame(
        {"source_column": [letter(index) for index in table.days], "period_start": list(table.days.values())}
    )
    return (
        wide.unpivot(index=list(keys), variable_name="source_column", value_name="value")
        .join(days, on="source_column", how="left", maintain_order="left")
        .with_columns(
            metric_id=pl.lit(table.measure.metric_id),
            period_end=pl.col("period_start"),
            status=pl.when(pl.col("value").is_null()).then(pl.lit(NOT_REPORTED)).otherwise(pl.lit(REPORTED)),
            status_reason=pl.lit(None, pl.String),
            source_sheet=pl.lit(table.sheet.name),
        )
        .select([name for name in FIGURES if name != "batch"])
    )


def _head(table: DaySheet, line: Line, known: Known) -> dict[str, object] | None:
    """What a line is: a provider (a code), ENGLAND, or a region (no code, or its own); None for a line of notes."""
    code, name = text(table.key(line, "org_code")), text(table.key(line, "org_name"))
    head: dict[str, object] = {
        "record": PROVIDER,
        "org_code": None,
        "org_name": None,
        "region_code": None,
        "source_row": line.number,
    }
    filled = any(index < len(line.cells) and not is_blank(line.cells[index]) for index in table.days)
    try:
        if code in ("", "-", gates.NATION):
            if fold(name) == NATION:
                return {**head, "record": PUBLISHED_NATION}
            if not filled:
                return None
            region = values.region(name, known.regions)
            if region is None:
                raise values.NotThis("figures of nobody: neither a code nor the name of a region")
            return {**head, "record": PUBLISHED_REGION, "region_code": region}
        if not filled and " " in code:
            return None  # a footnote that stands in the code column
        if code in known.regions.values():
            return {**head, "record": PUBLISHED_REGION, "region_code": code}
        head["org_code"] = values.code(code, ODS_CODE)
        head["org_name"] = values.name(table.key(line, "org_name"))
        head["region_code"] = values.region(table.key(line, "region"), known.regions)
        if head["org_name"] is None:
            raise values.NotThis("org_name: empty where a value is due")
    except values.NotThis as error:
        table.add(str(error), line)
        return None
    return head
