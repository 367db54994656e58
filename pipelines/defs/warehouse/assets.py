"""One dbt invocation builds the whole graph, staging to marts; its tests show as asset checks."""

import graphlib
from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from pipelines import building, settings
from pipelines.adapters import build_state
from pipelines.adapters.dbt_build import build
from pipelines.adapters.dbt_project import project
from pipelines.components.one_run import ONE_RUN

PROJECT = project()


@dbt_assets(
    manifest=PROJECT.manifest_path,
    project=PROJECT,
    name="dbt_build",
    pool="build",
    required_resource_keys={ONE_RUN},
)
def dbt_build(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """Run `dbt build` for what was selected."""
    here = settings.load()
    # What is made each night says nothing of the rest of the build, and leaves what is known of it as it is.
    if context.selected_asset_keys <= OF_THE_NIGHT:
        yield from _build(context, building.BUILD)
        return
    yield from _build(context, building.dbt_arguments(here, whole=not context.is_subset))
    build_state.end(here)


def _build(context: dg.AssetExecutionContext, arguments: list[str]) -> Iterator[Any]:
    # One folder for every run: what dbt compiled last, not a folder a night.
    parsed = settings.load().dbt_target
    yield from build(context, arguments, parsed, parsed / "run")


def _below(source: dg.AssetKey) -> frozenset[dg.AssetKey]:
    """The models that depend on an asset from outside of dbt."""
    found = {source}
    for key in graphlib.TopologicalSorter(dbt_build.asset_deps).static_order():
        if dbt_build.asset_deps.get(key, set()) & found:
            found.add(key)
    return frozenset(found - {source})


# What has to be made in a night in which nothing came, and the tests that look at one of them.
OF_THE_NIGHT = _below(dg.AssetKey(["operations", building.RELEASES]))
TESTS_OF_THE_NIGHT = frozenset(
    check.key
    for check in dbt_build.check_specs
    if OF_THE_NIGHT & {check.asset_key, *(dep.asset_key for dep in check.additional_deps)}
)
