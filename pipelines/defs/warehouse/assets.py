"""One dbt invocation builds the whole graph, staging to marts; its tests show as asset checks."""

import graphlib
import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from pipelines import settings
from pipelines.adapters import build_state, quiet_night
from pipelines.adapters.dbt_project import project
from pipelines.components.one_run import ONE_RUN

PROJECT = project()
DBT = "dbt"
# Unit tests prove the models, not the night's data: they run in the test suite.
BUILD = ["build", "--exclude-resource-type", "unit_test"]
# Person-level models are then worked out whole; all others are every night.
ANEW = ["--full-refresh"]
KEPT = {"kept": "what it is made from is as it was"}


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    name="dbt_build",
    pool="build",
    required_resource_keys={DBT, ONE_RUN},
)
def dbt_build(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """Run `dbt build` for what was selected; when nothing came, for what depends on the release alone."""
    here = settings.load()
    read = quiet_night.begin(here)
    if read is None and not context.is_subset:
        yield from _of_the_night(context)
        return
    yield from _dbt(context, BUILD + (ANEW if build_state.begin(here) else []))
    build_state.end(here)
    if read is not None and not context.is_subset:
        quiet_night.end(here, read)


def _dbt(context: dg.AssetExecutionContext, arguments: list[str]) -> Iterator[Any]:
    # One folder for every run: what dbt compiled last, not a folder a night.
    target = settings.load().dbt_target / "run"
    yield from context.resources.dbt.cli(arguments, context=context, target_path=target).stream()


def _of_the_night(context: dg.AssetExecutionContext) -> Iterator[Any]:
    left_out = quiet_night.not_of_the_night(json.loads(PROJECT.manifest_path.read_text()))
    events = list(_dbt(context, [*BUILD, "--indirect-selection", "empty", "--exclude", " ".join(left_out)]))
    made = {context.asset_key_for_output(event.output_name) for event in events if isinstance(event, dg.Output)}
    # What is kept depends on nothing that was made; Dagster wants each asset after those that it is made from.
    for key in graphlib.TopologicalSorter(context.assets_def.asset_deps).static_order():
        if key in context.selected_asset_keys - made:
            yield dg.MaterializeResult(asset_key=key, metadata=KEPT)
    yield from events
    # Tests that stop the release kept what they look at when it was made; Dagster is told so.
    judged = {(event.asset_key, event.check_name) for event in events if isinstance(event, dg.AssetCheckResult)}
    for check in context.assets_def.check_specs:
        if check.blocking and (check.asset_key, check.name) not in judged:
            yield dg.AssetCheckResult(asset_key=check.asset_key, check_name=check.name, passed=True, metadata=KEPT)
