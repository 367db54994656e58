"""What other marts lose when a feed ends: by dbt's graph, the metric registry, and what columns say that they need."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from pipelines.adapters import catalogue
from pipelines.adapters.dbt_project import project

MARTS = "marts"


def losses(whole: Collection[str], going: Collection[str]) -> list[dict[str, Any]]:
    """What each mart loses: of feeds that end as a whole columns, of others rows.

    A column is a feed's when the registry says so of its metric, or when its own `needs` (dbt column meta) names it.
    """
    manifest = json.loads(project().manifest_path.read_text())
    measured = catalogue.seed("metrics")
    found = []
    for feed in sorted(going):
        for mart in _below(manifest, feed):
            columns = sorted(set(_columns(mart, feed, measured)))
            if columns:
                measures = {one["measure"] for one in measured} & set(mart["columns"])
                lost: Any = "all" if measures <= set(columns) else columns
                if feed not in whole:
                    lost = "rows of the dataset"
                found.append({"mart": mart["alias"], "columns": lost, "because": feed})
    gone = {one["mart"] for one in found if one["columns"] == "all"}
    told = [one for one in found if one["mart"] not in gone or one["columns"] == "all"]
    return [one for number, one in enumerate(told) if one not in told[:number]]


def _columns(mart: dict[str, Any], feed: str, measured: list[dict[str, str]]) -> Iterator[str]:
    of_feed = {one["measure"] for one in measured if one["feed"] == feed}
    for name, column in mart["columns"].items():
        if name in of_feed or feed in column["config"]["meta"].get("needs", []):
            yield name


def _below(manifest: dict[str, Any], feed: str) -> list[dict[str, Any]]:
    """The marts that are made of a feed, directly or not."""
    left = [key for key, source in manifest["sources"].items() if source["name"] == feed]
    seen = set(left)
    while left:
        for child in manifest["child_map"].get(left.pop(), []):
            if child not in seen:
                seen.add(child)
                left.append(child)
    nodes = [manifest["nodes"][key] for key in seen if key.startswith("model.")]
    return sorted((node for node in nodes if node["schema"] == MARTS), key=lambda node: str(node["name"]))
