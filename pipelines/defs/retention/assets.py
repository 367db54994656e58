"""The plan of every end as an asset that never acts, and the execution of an approved one as a job of its own."""

from pathlib import Path
from typing import Any

import dagster as dg

from pipelines import settings
from pipelines.adapters.generated_docs import as_table
from pipelines.components.one_run import ONE_RUN
from pipelines.domain.retention import NotDone
from pipelines.retention import overview, plans
from pipelines.retention.execution import execute

NOTHING_OVERDUE = "nothing_overdue"
EXECUTION = "retention_execution"


@dg.asset(
    key="retention_plan",
    deps=["governance"],
    group_name="retention",
    description="What is held under each agreement, and of ends that have come what will go. It shows, it never acts.",
    owners=["team:information-governance"],
    kinds={"yaml"},
    check_specs=[
        dg.AssetCheckSpec(
            NOTHING_OVERDUE, asset="retention_plan", description="No end that has come is past its deadline."
        )
    ],
    required_resource_keys={ONE_RUN},
)
def retention_plan(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Show what is held and what is planned, as `datastore retention plan` does."""
    here = settings.load()
    reports = [overview.as_report(here, plan) for plan in plans.pending(here)]
    held = overview.holdings_now(here)["datasets"]
    overdue = [one for one in reports if one["due"] < settings.today().isoformat()]
    columns = ["dataset", "disposition", "legal_basis", "sealed_originals", "accepted_files", "releases", "ended"]
    table = as_table(columns, [[str(one[name] or "") for name in columns] for one in held])
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(held),
            "held": dg.MetadataValue.md(table),
            "plans": dg.MetadataValue.md("\n".join(_told(one) for one in reports) or "none: no end is recorded"),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=NOTHING_OVERDUE,
                passed=not overdue,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"overdue": ", ".join(one["end"]["id"] for one in overdue) or "none"},
            )
        ],
    )


def _told(report: dict[str, Any]) -> str:
    datasets = ", ".join(one["dataset"] for one in report["datasets"])
    state = report["blocked"][0] if report["blocked"] else f"approved by {len(report['approved_by'])} of 2"
    return f"- `{report['plan']}`: {datasets}; due {report['due']}; {state}"


class Approved(dg.Config):
    """Which plan is executed."""

    plan: str
    receipt: str | None = None


@dg.asset(
    key=EXECUTION,
    group_name="retention",
    description="Executes a plan that two approvers signed; refused without them. Only ever run by hand.",
    owners=["team:information-governance"],
    kinds={"python"},
)
def retention_execution(context: dg.AssetExecutionContext, config: Approved) -> dg.MaterializeResult:
    """Execute, in this run, what `datastore retention execute` would."""
    try:
        done = execute(
            settings.load(), config.plan, Path(config.receipt) if config.receipt else None, keep_run=context.run_id
        )
    except NotDone as refused:
        raise dg.Failure(description=str(refused), allow_retries=False) from None
    told = {"state": done["state"], "plan": done["plan"]}
    if done["state"] == "certified":
        told |= {"certificate": done["certificate"], "verified": str(done["verification"]["passed"])}
    return dg.MaterializeResult(metadata=told)


execution_job = dg.define_asset_job(
    "end_datasets",
    selection=[EXECUTION],
    executor_def=dg.in_process_executor,
    description="Destroy or return what an approved plan names.",
)
