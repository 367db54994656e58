"""The release gate: what the marts must keep before they may leave (`expectations/release/*.yaml`).

A rule's view is a query on the build that gives few rows (a profile, or the offenders), so that no row of a mart
reaches Great Expectations unless it is what the rule is about.
"""

from __future__ import annotations

import json
from collections.abc import Collection

import duckdb
import polars as pl

from pipelines import settings
from pipelines.adapters import warehouse
from pipelines.adapters.expectations import judge, load_suite
from pipelines.adapters.files import write_json
from pipelines.domain.gates import Outcome, Rule, Suite

PRODUCT = "marts"


def suite() -> Suite:
    """The rules of the release."""
    return load_suite(settings.EXPECTATIONS / "release" / f"{PRODUCT}.yaml")


def outcomes(here: settings.Settings) -> list[Outcome]:
    """What the gate says of the build as it is now.

    Every rule looks at the build each time; one that sees exactly what kept it the last time has kept it again.
    """
    path = here.release_gate
    kept = set(json.loads(path.read_text())) if path.exists() else set()
    with warehouse.build(here, read_only=True) as connection:
        connection.execute(f"USE {warehouse.BUILD}")
        found = judged(connection, kept)
    write_json(path, [outcome.question for outcome in found if outcome.passed])
    return found


def judged(connection: duckdb.DuckDBPyConnection, kept: Collection[str] = ()) -> list[Outcome]:
    """The outcome of every rule on a connection that uses a build; `kept` as in `judge`."""

    def view_of(rule: Rule) -> pl.DataFrame:
        # In one order, so that what is the same as the last time looks the same.
        return connection.execute(f"FROM ({rule.options['query']}) ORDER BY ALL").pl()

    return judge(suite(), view_of, kept)
