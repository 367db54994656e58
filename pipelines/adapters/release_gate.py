"""The release gate: what the marts must keep before they may leave (`expectations/release/*.yaml`).

A rule's view is a query on the build that gives few rows (a profile, or the offenders), so that no row of a mart
reaches Great Expectations unless it is what the rule is about.
"""

from __future__ import annotations

import duckdb
import polars as pl

from pipelines import settings
from pipelines.adapters import warehouse
from pipelines.adapters.expectations import judge, load_suite
from pipelines.domain.gates import Outcome, Rule, Suite

PRODUCT = "marts"


def suite() -> Suite:
    """The rules of the release."""
    return load_suite(settings.EXPECTATIONS / "release" / f"{PRODUCT}.yaml")


def outcomes(here: settings.Settings) -> list[Outcome]:
    """What the gate says of the build as it is now."""
    with warehouse.build(here, read_only=True) as connection:
        connection.execute(f"USE {warehouse.BUILD}")
        return judged(connection)


def judged(connection: duckdb.DuckDBPyConnection) -> list[Outcome]:
    """The outcome of every rule on a connection that uses a build."""

    def view_of(rule: Rule) -> pl.DataFrame:
        return connection.execute(str(rule.options["query"])).pl()

    return judge(suite(), view_of)
