"""One dbt invocation builds the whole graph, staging to marts; its tests show as asset checks."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from pipelines import settings
from pipelines.adapters.dbt_project import project
from pipelines.components.one_run import ONE_RUN

PROJECT = project()
DBT = "dbt"
# Unit tests prove the models, not the night's data: they run in the test suite.
# Every model is a table, made anew each time; seeds too, since one whose columns changed cannot be truncated into.
BUILD = ["build", "--full-refresh", "--exclude-resource-type", "unit_test"]


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    name="dbt_build",
    pool="build",
    required_resource_keys={DBT, ONE_RUN},
)
def dbt_build(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """Run `dbt build` for what was selected."""
    # One folder for every run: what dbt compiled last, not a folder a night.
    target = settings.load().dbt_target / "run"
    yield from context.resources.dbt.cli(BUILD, context=context, target_path=target).stream()
