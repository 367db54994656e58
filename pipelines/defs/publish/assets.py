"""The release gate as checks on the marts, and the release as the asset that only they let through."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines import settings, status
from pipelines.adapters import governing, release_gate, releases
from pipelines.components.feed import check_name
from pipelines.components.one_run import ONE_RUN
from pipelines.defs.warehouse.assets import dbt_build

MARTS = sorted(key for key in dbt_build.keys if key.path[0] == "marts")
# The gate looks at the build as a whole; its checks hang on the mart that every figure is in.
GATED = dg.AssetKey(["marts", "observation"])


@dg.multi_asset_check(
    name="release_gate",
    specs=[
        dg.AssetCheckSpec(
            check_name(rule.id),
            asset=GATED,
            additional_deps=[key for key in MARTS if key != GATED],
            blocking=rule.severity == "error",
            description=rule.reason,
        )
        for rule in release_gate.suite().rules
    ],
    pool="build",
    required_resource_keys={ONE_RUN},
)
def gate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Judge every release rule on the build."""
    for outcome in release_gate.outcomes(settings.load()):
        yield dg.AssetCheckResult(
            asset_key=GATED,
            check_name=check_name(outcome.rule.id),
            passed=outcome.passed,
            severity=dg.AssetCheckSeverity.ERROR if outcome.rule.severity == "error" else dg.AssetCheckSeverity.WARN,
            description=outcome.rule.reason,
            metadata={"rows_checked": outcome.checked, "rows_broken": outcome.broken},
        )


@dg.asset(
    key=["published", "release"],
    deps=MARTS,
    group_name="published",
    description="The served release: both tiers as DuckDB files and Parquet, switched in one step.",
    owners=["team:data-engineering"],
    kinds={"duckdb", "parquet"},
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(hours=36)),
    pool="build",
    required_resource_keys={ONE_RUN},
)
def release(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
    """Publish the marts of the build."""
    here = settings.load()
    record = releases.publish(here, governing.of_release(here))
    status.record_attempt(here, "published")
    folder = releases.current(here)
    return dg.MaterializeResult(
        metadata={
            "release_id": record["release_id"],
            "dagster/row_count": sum(record["rows"].values()),
            "folder": dg.MetadataValue.path(str(folder)),
            "public": dg.MetadataValue.path(str(folder / "public" / "datastore.duckdb")),
            "rows": dg.MetadataValue.md("\n".join(f"- {name}: {count:,}" for name, count in record["rows"].items())),
        }
    )
