"""Each specification holds: what was published goes in, what its tables say comes out of the project's own rules."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipelines import settings
from pipelines.adapters.generated_docs import specifications
from tests.support import rules
from tests.support.compiled import CompiledProject
from tests.support.person_rows import as_marts
from tests.support.specs import records, sources, table

SPECS = specifications()


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if "asked" in spec])
def test_marts_say(name: str, compiled_project: CompiledProject) -> None:
    spec = SPECS[name]
    marts = [asked["mart"] for asked in spec["asked"]]
    if "accepted" in spec:
        marts = [compiled_project.person_level(mart) for mart in marts]
    connection = compiled_project.run(marts, sources(spec))
    for asked in spec["asked"]:
        told = table(asked["rows"])
        assert Counter(rows_of(connection, asked, list(told[0]))) == Counter(tuple(row.values()) for row in told)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if "accepted" in spec])
def test_the_oracle_says_so_too(name: str) -> None:
    """The second implementation, which other tests hold the marts against, keeps to the same tables."""
    spec = SPECS[name]
    connection = as_marts(records(spec), [asked["mart"] for asked in spec["asked"]])
    for asked in spec["asked"]:
        told = table(asked["rows"])
        assert Counter(rows_of(connection, asked, list(told[0]))) == Counter(tuple(row.values()) for row in told)


def rows_of(connection: duckdb.DuckDBPyConnection, asked: dict[str, Any], columns: list[str]) -> list[tuple[Any, ...]]:
    """A mart's rows, as a table of text would have them; as reported, unless the table is about views."""
    where = [asked.get("where", "true")]
    mart = f"marts.{asked['mart']}"
    found = [column for column, *_ in connection.execute(f"describe {mart}").fetchall()]
    if "organisation_view" in found and "organisation_view" not in columns:
        where.append("organisation_view = 'as_reported'")
    chosen = connection.execute(
        f"select {', '.join(columns)} from {mart} where {' and '.join(f'({one})' for one in where)}"
    )
    return [tuple(_text(value) for value in row) for row in chosen.fetchall()]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return f"{round(value, 6):g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if "rule" in spec])
def test_rules_say(name: str) -> None:
    spec = SPECS[name]
    lines = table(spec["table"])
    told = getattr(rules, spec["rule"])(lines)
    assert told == [{column: line[column] for column in spec["gives"]} for line in lines]


def registry() -> list[dict[str, str]]:
    """The metric registry."""
    with (settings.DBT_PROJECT / "seeds" / "metrics" / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_only_flows_are_added_over_time_and_no_ratio_over_organisations() -> None:
    """Stocks, running totals and ratios of two periods are never added; a ratio has both its parts in the registry."""
    metrics = registry()
    known = {metric["metric_id"] for metric in metrics}
    for metric in metrics:
        assert (metric["adds_over_time"] == "true") <= (metric["kind"] == "flow"), metric["metric_id"]
        if metric["kind"] == "ratio":
            assert metric["adds_over_organisations"] == "false", metric["metric_id"]
            assert {metric["numerator_metric_id"], metric["denominator_metric_id"]} <= known, metric["metric_id"]


def test_every_measure_of_a_mart_is_specified() -> None:
    """A measure that no table of values stands behind is named here."""
    project = yaml.safe_load((Path(settings.DBT_PROJECT) / "dbt_project.yml").read_text())
    measures = {measure for subject in project["vars"]["subjects"].values() for measure in subject["measures"]}
    specified = {measure for spec in SPECS.values() for measure in spec["measures"]}
    assert measures - specified == set()
    assert specified <= {metric["measure"] for metric in registry()}
