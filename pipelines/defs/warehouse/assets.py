"""One dbt invocation builds the whole graph, staging to marts; its tests show as asset checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from pipelines.adapters.dbt_project import project
from pipelines.components.one_run import ONE_RUN, one_run

PROJECT = project()


@dbt_assets(manifest=PROJECT.manifest_path, project=PROJECT, name="dbt_build", pool="build", required_resource_keys={ONE_RUN})
def dbt_build(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """Run `dbt build` for what was selected."""
    yield from dbt.cli(["build", "--quiet"], context=context).stream().fetch_row_counts()


@dg.definitions
def warehouse() -> dg.Definitions:
    """The resource that runs dbt on this project, and the lock that a run holds."""
    return dg.Definitions(resources={"dbt": DbtCliResource(project_dir=PROJECT), ONE_RUN: one_run})
