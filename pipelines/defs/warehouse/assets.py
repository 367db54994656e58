"""One dbt invocation builds the whole graph, staging to marts; its tests show as asset checks."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from pipelines import settings
from pipelines.adapters import build_state
from pipelines.adapters.dbt_project import project
from pipelines.components.one_run import ONE_RUN

PROJECT = project()
DBT = "dbt"
# Unit tests prove the models, not the night's data: they run in the test suite.
BUILD = ["build", "--exclude-resource-type", "unit_test"]
# Person-level models are then worked out whole; all others are every night.
ANEW = ["--full-refresh"]


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    name="dbt_build",
    pool="build",
    required_resource_keys={DBT, ONE_RUN},
)
def dbt_build(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """Run `dbt build` for what was selected."""
    here = settings.load()
    # One folder for every run: what dbt compiled last, not a folder a night.
    target = here.dbt_target / "run"
    arguments = BUILD + (ANEW if build_state.begin(here) else [])
    yield from context.resources.dbt.cli(arguments, context=context, target_path=target).stream()
    build_state.end(here)
