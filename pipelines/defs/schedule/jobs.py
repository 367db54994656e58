"""The nightly refresh and the inbox."""

from collections.abc import Iterator

import dagster as dg

from pipelines import building, intake, settings
from pipelines.adapters import catalogue
from pipelines.components.one_run import NIGHTLY
from pipelines.defs.governance.assets import governance
from pipelines.defs.publish import assets as publishing
from pipelines.defs.retention.assets import EXECUTION, retention_plan
from pipelines.defs.warehouse import assets as warehouse
from pipelines.domain.governance import Ungoverned

nightly_refresh = dg.define_asset_job(
    NIGHTLY,
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(EXECUTION),
    executor_def=dg.in_process_executor,
    description="Everything accepted, through the gates and dbt, to a new release.",
)

# A release of what the last one was made of, as of the day: all there is to do when `building.is_unchanged`.
OF_THE_NIGHT = frozenset(
    {
        dg.AssetKey(["operations", building.RELEASES]),
        *warehouse.OF_THE_NIGHT,
        *publishing.release.keys,
        *governance.keys,
        *retention_plan.keys,
    }
)
CHECKS_OF_THE_NIGHT = frozenset(
    {*warehouse.TESTS_OF_THE_NIGHT, *publishing.gate.check_keys, *governance.check_keys, *retention_plan.check_keys}
)


# 02:30 in London exists once on every day of the year: clocks go forward over 01:00-02:00 and back over the same hour.
@dg.schedule(
    job=nightly_refresh,
    cron_schedule="30 2 * * *",
    execution_timezone="Europe/London",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Ask for everything, or in a night in which nothing came for what the day decides."""
    if not building.is_unchanged(settings.load()):
        return dg.RunRequest()
    return dg.RunRequest(asset_selection=list(OF_THE_NIGHT), asset_check_keys=list(CHECKS_OF_THE_NIGHT))


@dg.op(description="Receive every file in the inbox; a file leaves the inbox once its bytes are sealed.")
def empty_inbox(context: dg.OpExecutionContext) -> None:
    """Receive `inbox/<feed>/*`; what is no plain file stays where it is and is named.

    Files of a feed that nothing governs today stay too, and no other feed waits for them; the run then fails.
    """
    here = settings.load()
    refused = []
    for feed in catalogue.feeds().values():
        try:
            for arrival in intake.receive_inbox(here, feed):
                context.log.info(f"{arrival.feed}: {arrival.file}: {arrival.verdict}")
        except Ungoverned as reason:
            refused.append(str(reason))
    if refused:
        raise Ungoverned("; ".join(refused))


@dg.job(executor_def=dg.in_process_executor, description="Receive what suppliers dropped into the inbox.")
def receive_inbox() -> None:
    """One op: empty the inbox."""
    empty_inbox()


@dg.sensor(job=receive_inbox, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def inbox(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for a run when a file lies in the inbox; the same set of files is asked for once."""
    waiting = intake.inbox_files(settings.load())
    if waiting:
        yield dg.RunRequest(run_key=intake.inbox_key(waiting))
    else:
        yield dg.SkipReason("The inbox is empty.")
