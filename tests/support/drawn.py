"""Worksheets drawn as lines of cells between bars, and figures told in short."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pipelines.domain.feeds import Reading
from pipelines.domain.reading.cells import Line, Sheet


def typed(cell: str) -> Any:
    """A cell as calamine gives it: `@2020-01-31` is a date, a number a number, the rest text."""
    if cell.startswith("@"):
        return dt.datetime.fromisoformat(cell[1:])
    try:
        return float(cell)
    except ValueError:
        return cell


def sheet(text: str, name: str) -> Sheet:
    """A worksheet; its rows are numbered from 1."""
    lines = [[typed(cell.strip()) for cell in line.split("|")] for line in text.strip("\n").split("\n")]
    return Sheet(name, [Line(number, cells) for number, cells in enumerate(lines, start=1)])


def told(reading: Reading) -> list[str]:
    """Each figure in short: whose, what (without its basis), when, how much, and in which state if not reported."""
    lines = []
    for row in reading.rows.iter_rows(named=True):
        whose = row["org_code"] or {"published_nation": "ENGLAND"}.get(row["record"], f"all of {row['region_code']}")
        when = " to ".join(sorted({row["period_start"].isoformat(), row["period_end"].isoformat()}))
        amount = "nothing" if row["value"] is None else f"{row['value']:g}"
        state = "" if row["status"] == "reported" else f", {row['status']}: {row['status_reason']}"
        lines.append(f"{whose} {row['metric_id'].rpartition('__')[0]} {when}: {amount}{state}")
    return lines
