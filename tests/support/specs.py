"""Specifications as tables: what was published in, what a mart or a rule says out. One YAML file each in tests/spec.

`docs/generated/metrics.md` shows the same files, so a table is written as one: columns between `|`, nothing for null.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from pipelines.adapters import catalogue
from pipelines.adapters.generated_docs import lines_of
from pipelines.domain.feeds import FIGURES, NOT_REPORTED, PROVIDER, REPORTED


def table(text: str) -> list[dict[str, str | None]]:
    """The rows of a table of text, cells as text, empty ones as None."""
    head, *lines = lines_of(text)
    return [dict(zip(head, [cell or None for cell in line], strict=True)) for line in lines]


def sources(spec: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What a specification says was published, as rows of the dbt project's sources.

    A table of figures has organisation, metric and period (a day, or first and last day with `to` between), value
    and, where they matter, status, reason, region and publication (the day it was published; one batch a day).
    """
    rows: dict[str, list[dict[str, Any]]] = {"batches": []}
    for feed, text in spec["published"].items():
        declared = catalogue.feed(feed)
        lines = table(text)
        for number, line in enumerate(lines, start=1):
            known = line.pop("publication", None) or spec.get("publication", "2020-01-01")
            batch = hashlib.sha256(f"{feed} {known}".encode()).hexdigest()
            if declared.kind == "figures":
                row = _figure(line, number)
            else:
                row = {"source_row": number, **{name: _typed(value) for name, value in line.items()}}
            rows.setdefault(feed, []).append({**row, "batch": batch})
            if batch not in {one["batch"] for one in rows["batches"]}:
                rows["batches"].append(_batch(feed, batch, str(known)))
    return rows


def _figure(line: dict[str, str | None], number: int) -> dict[str, Any]:
    first, _, last = str(line["period"]).partition(" to ")
    value = float(line["value"]) if line["value"] is not None else None
    row: dict[str, Any] = dict.fromkeys(FIGURES)
    return row | {
        "record": PROVIDER,
        "org_code": line["organisation"],
        "org_name": line["organisation"],
        "region_code": line.get("region"),
        "metric_id": line["metric"],
        "period_start": dt.date.fromisoformat(first),
        "period_end": dt.date.fromisoformat(last or first),
        "value": value,
        "status": line.get("status") or (REPORTED if value is not None else NOT_REPORTED),
        "status_reason": line.get("reason"),
        "source_row": number,
        "source_column": "A",
    }


def _batch(feed: str, batch: str, known: str) -> dict[str, Any]:
    published = dt.datetime.fromisoformat(known)
    return {
        "batch": batch,
        "feed": feed,
        "file_name": feed,
        "received_at": dt.datetime(2022, 1, 1),
        "published_on": published.date(),
        "known_from": published,
        "verdict": "accepted",
    }


def _typed(value: str | None) -> Any:
    try:
        return dt.date.fromisoformat(value or "")
    except ValueError:
        return value
