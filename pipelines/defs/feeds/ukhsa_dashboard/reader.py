"""The UKHSA dashboard's ingestion files (JSON), and exports of the coronavirus dashboard before it (CSV).

An ingestion file is one metric of one area: what is said of the whole file is repeated for each point, the point's
value goes under the name of the metric, and from there on both forms are one table. An export has its columns in any
order and its rows newest first; both are of no consequence, since columns go by name and rows by day.

Areas keep the codes that the dashboards give them (ONS codes: the United Kingdom is K02000001, England E92000001, a
region of the statistics office E12...), with one exception: an NHS region goes by its Y-code here as in every other
feed. Its ONS code (E40...) changes with its boundary, so it is found by its name. A region E12 is not an NHS region,
although London is the name of both. Areas of smaller kinds, such as local authorities, are refused: no metric of this
feed needs them.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import polars as pl

from pipelines.domain.feeds import (
    FIGURES,
    NOT_REPORTED,
    PROVIDER,
    PROVISIONAL,
    REPORTED,
    Feed,
    Known,
    Reading,
)
from pipelines.domain.reading import values
from pipelines.domain.reading.cells import Cell, Line, Sheet, fold, is_blank, letter, text
from pipelines.domain.reading.figures import ODS_CODE
from pipelines.domain.reading.objects import read_object
from pipelines.domain.reading.tables import Places, Table, convert, delimited, locate
from pipelines.domain.refusals import MOST_LINES, printable, refuse

REPORTING_DELAY = "reporting_delay"
BAND = re.compile(r"([0-9]{2})[_-]([0-9]{2})")
OPEN_BAND = re.compile(r"([0-9]{2})\+")
RELEASED_IN_NAME = re.compile(r"_(20[0-9]{2}-[0-9]{2}-[0-9]{2})(?![0-9])")

ONS_REGION, NHS_REGION = r"E12[0-9]{6}", r"E40[0-9]{6}"
# What the exports (areaType) and the ingestion files (geography_type) call a kind of area: the form of its codes.
AREAS = {
    "overview": r"K02000001",
    "nation": r"[ENSW]920{5}[1-4]",
    "region": ONS_REGION,
    "government office region": ONS_REGION,
    "nhsregion": NHS_REGION,
    "nhs region": NHS_REGION,
    "nhstrust": ODS_CODE,
    "nhs trust": ODS_CODE,
}


def read(content: bytes, feed: Feed, known: Known, file_name: str) -> Reading:
    """The points of an ingestion file or an export. Raises `Refused` with every point that does not fit."""
    is_json = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
    sheet, published = _points(content, feed) if is_json else (delimited(content, feed), _released(file_name))
    table = locate(sheet, feed)
    figures = [column for column in feed.figures if column.name in table.columns]
    if not figures:
        raise refuse("no metric that is declared for ukhsa_dashboard: the export holds areas and days alone")
    places = Places(table)
    rows: list[dict[str, Any]] = []
    for line in table.body:
        head = _head(line, table, feed, known, places)
        for column in figures:
            try:
                metric_id = _metric_id(str(column.metric_id), table.cell(line, "age"), feed)
                value = values.number(table.cell(line, column.name))
            except values.NotThis as error:
                places.add(f"{column.name}: {error}", line, column.name)
                continue
            rows.append(
                {
                    **head,
                    "metric_id": metric_id,
                    "value": value,
                    "status": NOT_REPORTED if value is None else PROVISIONAL if head["status_reason"] else REPORTED,
                    "status_reason": None if value is None else head["status_reason"],
                    "source_column": "metric_value" if is_json else letter(table.columns[column.name]),
                }
            )
        if len(places.reasons) > MOST_LINES:
            break
    places.raise_if_any()
    if not rows:
        raise refuse("no points: the file is cut short, ask for it again")
    frame = pl.DataFrame(rows, schema={name: kind for name, kind in FIGURES.items() if name != "batch"})
    return Reading(
        rows=frame,
        layout=f"ingestion file, {sheet.name}" if is_json else "export",
        published_on=published,
        period_start=min(row["period_start"] for row in rows),
        period_end=max(row["period_end"] for row in rows),
        not_loaded=table.not_loaded,
    )


def _points(content: bytes, feed: Feed) -> tuple[Sheet, dt.date]:
    """The points of an ingestion file as lines under a header, numbered as they stand in their list; its day."""
    found = read_object(content)
    lists = [name for name in ("time_series", "data") if name in found]
    points = found.pop(lists[0]) if len(lists) == 1 else None
    if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
        raise refuse("no single list of points (time_series, or data of a headline): it is not this publication")
    metric = text(found.pop("metric", None))
    if metric not in {alias for column in feed.figures for alias in column.aliases}:
        raise refuse(
            f"metric {printable(metric)!r} is not declared for {feed.feed}: declare it and its metric_id, "
            "or take the file out"
        )
    try:
        refreshed = values.date(found.get("refresh_date"), ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S"))
    except values.NotThis:
        refreshed = None
    if refreshed is None:
        raise refuse("refresh_date: no date; it is the day of publication")
    names = list(dict.fromkeys([*found, *(name for point in points for name in point if name != "metric_value")]))
    lines = [Line(0, [*names, metric])]
    for number, point in enumerate(points, start=1):
        cells = [point.get(name, found.get(name)) for name in names] + [point.get("metric_value")]
        if any(isinstance(cell, (list, dict)) for cell in cells):
            raise refuse("a list or an object stands where a value is due", sheet=lists[0], row=number)
        lines.append(Line(number, cells))
    return Sheet(lists[0], lines), refreshed


def _released(file_name: str) -> dt.date | None:
    """The day of the release in the name of an export: `nation_2022-01-03.csv`."""
    match = RELEASED_IN_NAME.search(file_name)
    try:
        return dt.date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _head(line: Line, table: Table, feed: Feed, known: Known, places: Places) -> dict[str, Any]:
    """Area, period and place of a line, and why it is provisional; what does not fit goes to `places`."""
    given: dict[str, Any] = {
        column.name: convert(table.cell(line, column.name), column, line, places)
        for column in feed.columns
        if column.type == "date" and column.use == "attribute" and column.name in table.columns
    }
    start = given.get("date") or given.get("period_start")
    end = given.get("date") or given.get("period_end")
    if start is None or end is None or end < start:
        places.add("neither a date nor a period that ends after it begins", line)
    if (embargo := given.get("embargo")) is not None and embargo > known.received_on:
        places.add(f"under embargo until {embargo}: it is not public yet, ask for it again after that day", line)
    if table.cell(line, "is_public") not in (None, True):
        places.add("a point that is not public", line)
    if any(fold(text(table.cell(line, name))) not in ("", *whole) for name, whole in WHOLE.items()):
        places.add("a point of one sex or one stratum alone: only whole populations are declared", line)
    org_code, org_name = _area(line, table, known, places)
    return {
        "record": PROVIDER,
        "org_code": org_code,
        "org_name": org_name,
        "region_code": org_code if org_code in known.regions.values() else None,
        "period_start": start,
        "period_end": end,
        "status_reason": REPORTING_DELAY if table.cell(line, "in_reporting_delay_period") is True else None,
        "source_sheet": table.sheet,
        "source_row": line.number,
    }


WHOLE = {"sex": ("all",), "stratum": ("default",)}


def _area(line: Line, table: Table, known: Known, places: Places) -> tuple[str | None, str | None]:
    form = AREAS.get(fold(text(table.cell(line, "area_type"))))
    if form is None:
        places.add(
            "an area other than the United Kingdom, a nation, a region, an NHS region or an NHS trust: not read",
            line,
            "area_type",
        )
        return None, None
    try:
        org_code = values.code(table.cell(line, "org_code"), form)
        org_name = values.name(table.cell(line, "org_name"))
        if form == NHS_REGION:
            org_code = values.region(table.cell(line, "org_name"), known.regions)
        if org_code is None or org_name is None:
            raise values.NotThis("an area without code or name")
    except values.NotThis as error:
        places.add(f"area: {error}", line, "org_code")
        return None, None
    return org_code, org_name


def _metric_id(declared: str, age: Cell, feed: Feed) -> str:
    """The metric of a line: an age band fills the `{band}` that the declaration leaves open."""
    band = "all" if is_blank(age) else text(age)
    if match := BAND.fullmatch(band):
        band = f"{match[1]}_{match[2]}"
    elif match := OPEN_BAND.fullmatch(band):
        band = f"{match[1]}_and_over"
    if "{band}" in declared:
        if band in feed.bands:
            return declared.format(band=band)
        raise values.NotThis(f"age band {printable(band)!r} is not declared for {feed.feed}")
    if band != "all":
        raise values.NotThis("an age band of a metric that is declared for all ages alone")
    return declared
