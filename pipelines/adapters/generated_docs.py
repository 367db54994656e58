"""`docs/generated`: pages made from the declarations, so that no fact is typed twice. CI fails when they are stale."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import yaml

from pipelines import settings
from pipelines.adapters import catalogue
from pipelines.adapters.release_gate import suite as release_suite
from pipelines.domain.feeds import Feed
from pipelines.domain.gates import Rule

FOLDER = settings.PROJECT_ROOT / "docs" / "generated"
MADE = "<!-- Made by `make docs` from the declarations; edit those, not this page. -->\n\n"


def pages() -> dict[str, str]:
    """File name -> content of every generated page."""
    return {
        "feeds.md": MADE + _feeds(),
        "rules.md": MADE + _rules(),
        "marts.md": MADE + _marts(),
        "metrics.md": MADE + _metrics(),
    }


def write() -> list[Path]:
    """Write the pages and return their paths."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in pages().items():
        path = FOLDER / name
        path.write_text(text)
        written.append(path)
    return written


def _feeds() -> str:
    parts = ["# Feeds\n"]
    for feed in catalogue.feeds().values():
        agreement, basis = catalogue.register().governing(feed)
        facts = [
            ("Publication", f"{feed.supplier}: {feed.publication}"),
            ("Cadence", f"every {feed.cadence.every}, late after {feed.cadence.fresh_for.days} days"),
            ("Controller", agreement.controller),
            ("Agreement", f"`{agreement.id}`: {agreement.clause}"),
            ("Purpose", agreement.purpose),
            ("Legal basis", f"{basis.title} ({basis.citation})"),
            ("In the end", agreement.disposition.replace("_", " ")),
        ]
        parts.append(f"\n## `{feed.feed}`: {feed.title}\n\n{feed.description}\n\n")
        parts.append(_table(["", ""], [list(fact) for fact in facts]))
        if feed.layouts:
            parts.append("\nLayouts: " + "; ".join(f"{one.name} ({one.era})" for one in feed.layouts) + ".\n")
        parts.append("\n" + _table(["column", "as published", "meaning", "loaded"], _columns(feed)))
        if feed.sheets:
            rows = [[f"`{sheet.metric_id}`", sheet.names[0], sheet.summaries[0]] for sheet in feed.sheets]
            parts.append("\n" + _table(["metric", "sheet", "summary on it"], rows))
    return "".join(parts)


def _columns(feed: Feed) -> list[list[str]]:
    return [
        [
            f"`{column.name}`",
            column.aliases[0] if column.aliases else f"position {column.position}",
            column.meaning,
            "no" if column.use == "ignored" else "yes",
        ]
        for column in feed.columns
    ]


def _rules() -> str:
    parts = ["# Quality rules\n\nAn error stops the batch (or the release); a warning is shown in mart `quality`.\n"]
    subjects: dict[str, tuple[Rule, ...]] = {feed: catalogue.suite(feed).rules for feed in catalogue.feeds()}
    subjects["release"] = release_suite().rules
    for subject, rules in subjects.items():
        parts.append(f"\n## {subject}\n\n")
        parts.append(_table(["rule", "severity", "reason"], [[f"`{r.id}`", r.severity, r.reason] for r in rules]))
    return "".join(parts)


def _marts() -> str:
    parts = ["# Marts\n\nSchema `marts` of `published/current/public/datastore.duckdb`; one Parquet folder each.\n"]
    for path in sorted((settings.DBT_PROJECT / "models" / "marts").rglob("_*.yml")):
        for model in yaml.safe_load(path.read_text())["models"]:
            columns: list[dict[str, Any]] = model["columns"]
            parts.append(f"\n## `marts.{model['name']}`\n\n{model['description'].strip()}\n\n")
            rows = [[f"`{c['name']}`", c["data_type"], " ".join(c["description"].split())] for c in columns]
            parts.append(_table(["column", "type", "meaning"], rows))
    return "".join(parts)


def _metrics() -> str:
    path = settings.DBT_PROJECT / "seeds" / "metrics" / "metrics.csv"
    with path.open(newline="", encoding="utf-8") as file:
        metrics = list(csv.DictReader(file))
    rows = [[f"`{m['metric_id']}`", m["metric_name"], m["kind"], m["unit"], m["definition"]] for m in metrics]
    return "# Metrics\n\n" + _table(["metric", "name", "kind", "unit", "definition"], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
