"""Feeds of figures: from a located table to one row per published cell, totals told from providers by rule."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

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
)
from pipelines.domain.reading import values
from pipelines.domain.reading.cells import Line, is_blank, letter, text
from pipelines.domain.reading.tables import Places, Table, delimited, locate
from pipelines.domain.refusals import MOST_LINES, refuse

ODS_CODE = r"[A-Z0-9]{3,8}"
TOTAL_LABELS = {"total", "totals", "grand total", "england", "england total", "total england"}
NOT_AVAILABLE = "not_available"

Period = tuple[dt.date, dt.date]


def read_figures(content: bytes, feed: Feed, known: Known, file_name: str) -> Reading:
    """Reader of a delimited file with one row per provider and period and one column per measure.

    A row that bears the label of a total is the published nation, a row whose code is a region's the published region.
    Where the total names no period the file holds one. Raises `Refused` with every place that is not what the feed
    declares.
    """
    table = locate(delimited(content, feed), feed)
    keys = [column.name for column in feed.columns if column.use == "key"]
    places = Places(table)
    rows: list[dict[str, Any]] = []
    totals: list[Period | None] = []
    for line in table.body:
        is_total = any(text(table.cell(line, key)).casefold() in TOTAL_LABELS for key in keys)
        empty = [*keys, *(column.name for column in feed.figures)]
        if not is_total and all(is_blank(table.cell(line, name)) for name in empty):
            continue
        head = _total(line, table, feed, places) if is_total else _provider(line, table, feed, known, places)
        if is_total:
            totals.append(head["period"])
        rows.extend(_cells(line, table, feed, head, places))
        if len(places.reasons) > MOST_LINES:
            break
    places.raise_if_any()
    periods = sorted({row["period"] for row in rows if row["record"] == PROVIDER})
    _require_whole(periods, totals, feed)
    for row in rows:
        row["period_start"], row["period_end"] = row.pop("period") or periods[0]
    return Reading(
        rows=pl.DataFrame(rows, schema={name: kind for name, kind in FIGURES.items() if name != "batch"}),
        layout=table.layout,
        published_on=values.revised_in_name(file_name),
        period_start=periods[0][0],
        period_end=periods[-1][1],
        not_loaded=table.not_loaded,
    )


def _require_whole(periods: list[Period], totals: list[Period | None], feed: Feed) -> None:
    """Refuse a file without providers, or one that does not hold one total a period where the feed has totals."""
    if not periods:
        raise refuse("no provider rows: the file is cut short, ask for it again")
    if len(periods) > 1 and (None in totals or not totals):
        months = ", ".join(start.strftime("%B %Y") for start, _ in periods)
        raise refuse(f"rows of several periods in one file ({months}): send one file a period")
    if not feed.has_total_row:
        return
    for period in periods:
        found = sum(total in (period, None) for total in totals)
        if found != 1:
            raise refuse(
                f"{found} TOTAL rows where {feed.feed} has one for {period[0]:%B %Y}: the file is cut short or was "
                "changed, ask for it again"
            )


def _total(line: Line, table: Table, feed: Feed, places: Places) -> dict[str, Any]:
    head = {"record": PUBLISHED_NATION, "org_code": None, "org_name": None, "region_code": None, "period": None}
    cells = [table.cell(line, column.name) for column in feed.columns if column.role in ("period", "year", "month")]
    if any(is_blank(cell) or text(cell).casefold() in TOTAL_LABELS for cell in cells):
        return head
    return {**head, "period": _period(line, table, feed, places)}


def _period(line: Line, table: Table, feed: Feed, places: Places) -> Period | None:
    """The month of a line: one cell that names it, or a year and a month."""
    columns = {column.role: column.name for column in feed.columns}
    try:
        if "period" in columns:
            return values.month(table.cell(line, columns["period"]))
        return values.month_of_year(table.cell(line, columns["year"]), table.cell(line, columns["month"]))
    except values.NotThis as error:
        name = columns.get("period") or columns["month"]
        places.add(f"{name}: {error}", line, name)
        return None


def _provider(line: Line, table: Table, feed: Feed, known: Known, places: Places) -> dict[str, Any]:
    head: dict[str, Any] = {
        "record": PROVIDER,
        "org_code": None,
        "org_name": None,
        "region_code": None,
        "period": _period(line, table, feed, places),
    }
    for column in feed.columns:
        if column.role not in ("org_code", "org_name", "region"):
            continue
        cell = table.cell(line, column.name)
        try:
            if column.role == "org_code":
                value = values.code(cell, column.pattern or ODS_CODE)
            elif column.role == "region":
                value = values.region(cell, known.regions)
            else:
                value = values.name(cell)
        except values.NotThis as error:
            places.add(f"{column.name}: {error}", line, column.name)
            continue
        if value is None and not column.may_be_empty:
            places.add(f"{column.name}: empty where a value is due", line, column.name)
        head["region_code" if column.role == "region" else column.role] = value
    if head["org_code"] in known.regions.values():
        return {**head, "record": PUBLISHED_REGION, "region_code": head["org_code"], "org_code": None, "org_name": None}
    return head


def _cells(line: Line, table: Table, feed: Feed, head: dict[str, Any], places: Places) -> list[dict[str, Any]]:
    cells = []
    for column in feed.figures:
        index = table.columns.get(column.name)
        if index is None:
            continue
        cell = table.cell(line, column.name)
        try:
            value = values.number(cell, feed.not_available)
        except values.NotThis as error:
            places.add(f"{column.name}: {error}", line, column.name)
            continue
        cells.append(
            {
                **head,
                "metric_id": column.metric_id,
                "value": value,
                "status": NOT_REPORTED if value is None else REPORTED,
                "status_reason": NOT_AVAILABLE if text(cell) in feed.not_available else None,
                "source_sheet": table.sheet,
                "source_row": line.number,
                "source_column": letter(index),
            }
        )
    return cells
