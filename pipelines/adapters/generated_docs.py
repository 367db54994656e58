"""`docs/generated`: pages made from the declarations, so that no fact is typed twice. CI fails when they are stale."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from pipelines import settings
from pipelines.adapters import catalogue
from pipelines.adapters.cells import project_vars
from pipelines.adapters.release_gate import suite as release_suite
from pipelines.domain.feeds import Column, Feed, SheetOfFigures
from pipelines.domain.gates import Rule
from pipelines.domain.governance import FILES, Agreement
from pipelines.domain.persons.declaration import Records
from pipelines.domain.persons.layouts import OtherLayout, Source

FOLDER = settings.PROJECT_ROOT / "docs" / "generated"
SPECIFICATIONS = settings.PROJECT_ROOT / "tests" / "spec"
HOW_READ = {
    "text": "as it is",
    "date": "the date",
    "clock": "HHMM as HH:MM",
    "clock_day": "the day of that time: of arrival, or the next when the clock shows less",
    "month": "a date, or the first day of a month MMYYYY",
    "joined": "all that are filled, in order",
}
KEPT_AS = {
    "itself": "itself",
    "dropped": "no",
    "instant": "time in UTC",
    "instant_and_date": "time in UTC, local date",
    "covid_diagnosis": "two flags: diagnosed, primary",
}
MADE = "<!-- Made by `make docs` from the declarations; edit those, not this page. -->\n\n"


def pages() -> dict[str, str]:
    """File name -> content of every generated page."""
    return {name: make() for name, make in PAGES.items()}


def write() -> list[Path]:
    """Write the pages and return their paths."""
    written = []
    for name, text in pages().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written.append(path)
    return written


def _schema(name: str) -> str:
    """The JSON Schema of a file of governance records, for editors; what holds between records `datastore` checks."""
    schema = FILES[name].model_json_schema(by_alias=True)
    told = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _feeds() -> str:
    parts = ["# Feeds\n"]
    for feed in catalogue.feeds().values():
        agreement, bases = catalogue.register().governing(feed)
        facts = [
            ("Publication", f"{feed.supplier}: {feed.publication}"),
            ("Cadence", f"every {feed.cadence.every}, late after {feed.cadence.fresh_for.days} days"),
            ("Controller", agreement.controller),
            ("Agreement", f"`{agreement.id}`: {agreement.clause}"),
            ("Purpose", agreement.purpose),
            ("Legal basis", "; else ".join(f"{basis.title} ({basis.citation})" for basis in bases)),
            ("In the end", _in_the_end(agreement)),
        ]
        parts.append(f"\n## `{feed.feed}`: {feed.title}\n\n{feed.description}\n\n")
        parts.append(as_table(["", ""], [list(fact) for fact in facts]))
        if feed.layouts:
            parts.append("\nLayouts: " + "; ".join(f"{one.name} ({one.era})" for one in feed.layouts) + ".\n")
        if feed.records:
            head = ["column", "type", "meaning", "codes", "sensitivity", "kept as"]
            parts.append("\n" + as_table(head, _columns_of_records(feed.records)))
            parts += [_other_layout(layout) for layout in feed.records.layouts]
        else:
            parts.append("\n" + as_table(["column", "as published", "meaning", "loaded"], _columns(feed)))
        if feed.sheets:
            parts.append("\n" + as_table(["sheet", "holds", "metrics"], [_sheet(sheet) for sheet in feed.sheets]))
        if feed.not_read:
            parts.append(
                "\nRefused, with the name of their era: " + "; ".join(one.era for one in feed.not_read) + ".\n"
            )
    return "".join(parts)


def _in_the_end(agreement: Agreement) -> str:
    disposition = agreement.disposition
    trigger = f", once policy `{disposition.trigger.policy}` has ended" if disposition.trigger else ""
    if disposition.action == "retain":
        return f"retained on `{disposition.basis}`{trigger}"
    done = "destroyed" if disposition.action == "destroy" else "returned to the controller, then destroyed"
    return f"{done} within {disposition.deadline_days} days{trigger}"


def _sheet(sheet: SheetOfFigures) -> list[str]:
    holds = f"{sheet.hold.replace('_', ' ')} of {sheet.rows}"
    return [sheet.names[0], holds, ", ".join(f"`{metric_id}`" for metric_id in sheet.metric_ids)]


def _columns(feed: Feed) -> list[list[str]]:
    return [
        [
            f"`{column.name}`",
            _as_published(column),
            column.meaning,
            "no" if column.use == "ignored" else "yes",
        ]
        for column in feed.columns
    ]


def _other_layout(layout: OtherLayout) -> str:
    marks = ", ".join(f"`{name}`" for name in layout.marked_by)
    rows = [[f"`{name}`", *_source(source)] for name, source in layout.columns.items()]
    decided = "".join(f"- {decision}\n" for decision in layout.decisions)
    return (
        f"\n### Layout `{layout.name}`\n\nAlso read: {layout.publication}. A file is known by the columns {marks} in "
        f"its header, whatever its name. Columns of the contract that are not named here stay empty.\n\n"
        f"{as_table(['column', 'made of', 'how'], rows)}\n{decided}"
    )


def _source(source: Source) -> list[str]:
    if source.value is not None:
        beside = f" where `{source.beside}` is filled" if source.beside else ""
        return [f"the value {source.value}{beside}", source.reason or ""]
    how = [HOW_READ[source.reading]]
    if source.not_known:
        how.append(f"{' '.join(source.not_known)} stand for none")
    if source.earliest:
        how.append(f"none before {source.earliest.isoformat()} counts")
    if source.recoded:
        how.append(", ".join(f"{there} becomes {here}" for there, here in source.recoded.items()))
    if source.part != "earliest":
        how.append(f"of the {source.part} part")
    if source.else_day_of_receipt:
        how.append("else the day of receipt")
    return [", else ".join(f"`{name}`" for name in source.of), "; ".join(how)]


def _columns_of_records(records: Records) -> list[list[str]]:
    return [
        [
            f"`{column.name}`",
            f"{column.type.replace('_', ' ')}{', required' if column.required else ''}",
            column.meaning,
            " ".join(column.codes),
            column.sensitivity.replace("_", " "),
            KEPT_AS.get(column.keep, f"`{column.keep}`"),
        ]
        for column in records.columns
    ]


def _as_published(column: Column) -> str:
    if column.aliases:
        return column.aliases[0]
    return f"header `{column.matches}`" if column.matches else f"position {column.position}"


def _rules() -> str:
    parts = ["# Quality rules\n\nAn error stops the batch (or the release); a warning is shown in mart `quality`.\n"]
    subjects: dict[str, tuple[Rule, ...]] = {feed: catalogue.suite(feed).rules for feed in catalogue.feeds()}
    subjects["release"] = release_suite().rules
    for subject, rules in subjects.items():
        parts.append(f"\n## {subject}\n\n")
        parts.append(as_table(["rule", "severity", "reason"], [[f"`{r.id}`", r.severity, r.reason] for r in rules]))
    return "".join(parts)


def _marts() -> str:
    parts = [
        "# Marts\n\nSchema `marts` of `published/current/public/datastore.duckdb` has organisations as reported; "
        "`marts_as_at_date` and `marts_as_current` hold the subject marts with organisations as they were on the "
        "date and as they are now. One Parquet folder each. Marts of persons' records are in schema `marts` of the "
        "internal tier alone, and have no Parquet.\n"
    ]
    views = project_vars()["subjects"]
    for path in sorted((settings.DBT_PROJECT / "models" / "marts").rglob("_*.yml")):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            # Publishing splits the subject marts by view: what a reader meets has no column of it.
            shown = [c for c in model["columns"] if not (model["name"] in views and c["name"] == "organisation_view")]
            parts.append(
                f"\n## {_heading(path.with_name(model['name'] + '.sql'))}\n\n{model['description'].strip()}\n\n"
            )
            parts.append(as_table(["column", "type", "unit", "meaning", "null"], [_column(column) for column in shown]))
    return "".join(parts)


def _heading(model: Path) -> str:
    """The mart's name; of a model that adds rows to another mart, that one's too."""
    alias = re.search(r"alias='(\w+)'", model.read_text())
    return f"`marts.{alias[1]}`, rows of `{model.stem}`" if alias else f"`marts.{model.stem}`"


def _column(column: dict[str, Any]) -> list[str]:
    meta = column.get("config", {}).get("meta", {})
    meaning = " ".join(column["description"].split())
    return [f"`{column['name']}`", column["data_type"], meta.get("unit", ""), meaning, meta.get("states", "")]


def _metrics() -> str:
    parts = [
        "# Metrics\n\nA **stock** is a count at a moment: it adds up over organisations, never over days. A **flow** "
        "is a count over a period: it adds up over both. A **cumulative** count runs from the beginning: it is never "
        "added over time. A **ratio** is recomputed from its numerator and denominator at every level, never "
        "averaged. Bases are never added to each other. What each measure does is specified in the tables at the "
        "end, which the tests run on the project's own SQL and rules.\n"
    ]
    registry = _seed("metrics")
    for basis in dict.fromkeys(metric["basis"] for metric in registry):
        metrics = [metric for metric in registry if metric["basis"] == basis]
        parts.append(f"\n## `{basis}`: {metrics[0]['source']}\n\n")
        head = ["metric", "name", "kind", "unit", "of", "since", "definition"]
        parts.append(as_table(head, [_metric(metric) for metric in metrics]))
    parts.append(
        "\n## Changes of scope\n\nA series does not compare across these days; the marts say so in `scope_break`.\n\n"
    )
    changes = [one for one in _seed("metric_scopes") if one["scope_change"]]
    rows = [
        [
            one["valid_from"],
            one["basis"],
            f"`{one['measure']}`",
            one["dimension"] or "every",
            one["scope_change"],
            one["source"],
        ]
        for one in sorted(changes, key=lambda one: (one["valid_from"], one["basis"], one["measure"]))
    ]
    parts.append(as_table(["from", "basis", "measure", "dimension", "what changes", "source"], rows))
    parts.append(
        "\n## Specifications\n\nValues in, values out. An empty cell is null. Tables of person-level rows have times "
        "in UTC and leave out what is usual: an adult's first unplanned attendance at a type 1 department; an "
        "emergency admission to an ordinary bed; a positive test; an adult critical care unit; a first version.\n\n"
    )
    measures = sorted({measure for spec in specifications().values() for measure in spec["measures"]})
    parts.append(as_table(["measure", "specified by"], [[f"`{measure}`", _specified(measure)] for measure in measures]))
    parts += [_specification(name, spec) for name, spec in specifications().items()]
    return "".join(parts)


def _metric(metric: dict[str, str]) -> list[str]:
    if metric["kind"] == "ratio":
        made_of = f"`{metric['numerator_metric_id']}` / `{metric['denominator_metric_id']}`"
    else:
        made_of = (
            "as published" if metric["is_base"] == "true" else f"{len(metric['components'].split())} published metrics"
        )
    if metric["basis"] == "person_level" and metric["kind"] != "ratio":
        made_of = "records"
    return [
        f"`{metric['metric_id']}`",
        metric["metric_name"],
        metric["kind"],
        metric["unit"],
        made_of,
        metric["valid_from"],
        metric["definition"],
    ]


def _specified(measure: str) -> str:
    return ", ".join(
        f"[{spec['title']}](#{name})" for name, spec in specifications().items() if measure in spec["measures"]
    )


@cache
def specifications() -> dict[str, dict[str, Any]]:
    """What the tests in `tests/spec` hold the rules and marts to, by name."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted(SPECIFICATIONS.rglob("*.yaml"))}


def lines_of(text: str) -> list[list[str]]:
    """A table of text as lines of cells, the header first."""
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


def _specification(name: str, spec: dict[str, Any]) -> str:
    measures = ", ".join(f"`{measure}`" for measure in spec["measures"])
    parts = [f'\n<a id="{name}"></a>\n\n### {spec["title"]}\n\n{spec["says"].strip()} For {measures}.\n']
    if "rule" in spec:
        parts.append("\n" + _text_table(spec["table"]))
    for feed, text in spec.get("published", {}).items():
        parts.append(f"\nPublished, `{feed}`:\n\n" + _text_table(text))
    for feed, text in spec.get("accepted", {}).items():
        parts.append(f"\nAccepted, `{feed}`, submitted on {spec['submitted']}:\n\n" + _text_table(text))
    for asked in spec.get("asked", ()):
        where = f" where `{asked['where']}`" if "where" in asked else ""
        parts.append(f"\n`marts.{asked['mart']}`{where}:\n\n" + _text_table(asked["rows"]))
    return "".join(parts)


def _text_table(text: str) -> str:
    head, *rows = lines_of(text)
    return as_table(head, rows)


def _seed(name: str) -> list[dict[str, str]]:
    path = settings.DBT_PROJECT / "seeds" / "metrics" / f"{name}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def as_table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown, as pages and Dagster show it."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


PAGES: dict[str, Callable[[], str]] = {
    "feeds.md": lambda: MADE + _feeds(),
    "rules.md": lambda: MADE + _rules(),
    "marts.md": lambda: MADE + _marts(),
    "metrics.md": lambda: MADE + _metrics(),
    **{f"governance/{name}.schema.json": partial(_schema, name) for name in FILES},
}
