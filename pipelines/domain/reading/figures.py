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


def read_figures(content: bytes, feed: Feed, known: Known, file_name: str) -> Reading:
    """Reader of a delimited file with one row per provider and one column per measure, for one period.

    Raises `Refused` with every place that is not what the feed declares.
    """
    table = locate(delimited(content, feed), feed)
    keys = [column.name for column in feed.columns if column.use == "key"]
    places = Places(table)
    rows: list[dict[str, Any]] = []
    periods: dict[tuple[dt.date, dt.date], int] = {}
    totals = 0
    for line in table.body:
        is_total = any(text(table.cell(line, key)).casefold() in TOTAL_LABELS for key in keys)
        empty = [*keys, *(column.name for column in feed.figures)]
        if not is_total and all(is_blank(table.cell(line, name)) for name in empty):
            continue
        head = _total(line) if is_total else _provider(line, table, feed, known, places, periods)
        totals += is_total
        rows.extend(_cells(line, table, feed, head, places))
        if len(places.reasons) > MOST_LINES:
            break
    places.raise_if_any()
    start, end = _one_period(periods)
    if feed.has_total_row and totals != 1:
        raise refuse(
            f"{totals} TOTAL rows where {feed.feed} has one: the file is cut short or was changed, ask for it again"
        )
    frame = pl.DataFrame(
        rows,
        schema={name: FIGURES[name] for name in FIGURES if name not in ("batch", "period_start", "period_end")},
    )
    frame = frame.with_columns(period_start=pl.lit(start), period_end=pl.lit(end))
    return Reading(
        rows=frame,
        layout=table.layout,
        published_on=values.revised_in_name(file_name),
        period_start=start,
        period_end=end,
        not_loaded=table.not_loaded,
    )


def _total(line: Line) -> dict[str, Any]:
    return {"record": PUBLISHED_NATION, "org_code": None, "org_name": None, "region_code": None}


def _provider(
    line: Line,
    table: Table,
    feed: Feed,
    known: Known,
    places: Places,
    periods: dict[tuple[dt.date, dt.date], int],
) -> dict[str, Any]:
    head: dict[str, Any] = {"record": PROVIDER, "org_code": None, "org_name": None, "region_code": None}
    for column in feed.columns:
        if column.role is None:
            continue
        cell = table.cell(line, column.name)
        try:
            if column.role == "period":
                period = values.month(cell)
                periods[period] = periods.get(period, 0) + 1
                continue
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
    return head


def _cells(line: Line, table: Table, feed: Feed, head: dict[str, Any], places: Places) -> list[dict[str, Any]]:
    cells = []
    for column in feed.figures:
        index = table.columns.get(column.name)
        if index is None:
            continue
        try:
            value = values.number(table.cell(line, column.name))
        except values.NotThis as error:
            places.add(f"{column.name}: {error}", line, column.name)
            continue
        cells.append(
            {
                **head,
                "metric_id": column.metric_id,
                "value": value,
                "status": NOT_REPORTED if value is None else REPORTED,
                "status_reason": None,
                "source_sheet": table.sheet,
                "source_row": line.number,
                "source_column": letter(index),
            }
        )
    return cells


def _one_period(periods: dict[tuple[dt.date, dt.date], int]) -> tuple[dt.date, dt.date]:
    if not periods:
        raise refuse("no provider rows: the file is cut short, ask for it again")
    if len(periods) > 1:
        months = ", ".join(start.strftime("%B %Y") for start, _ in sorted(periods))
        raise refuse(f"rows of several periods in one file ({months}): send one file a period")
    return next(iter(periods))
