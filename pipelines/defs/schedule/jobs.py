"""The nightly refresh and the inbox."""

from collections.abc import Iterator

import dagster as dg

from pipelines import intake, settings
from pipelines.adapters import catalogue
from pipelines.components.one_run import NIGHTLY

nightly_refresh = dg.define_asset_job(
    NIGHTLY,
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="Everything accepted, through the gates and dbt, to a new release.",
)

# 02:30 in London exists once on every day of the year: clocks go forward over 01:00-02:00 and back over the same hour.
nightly = dg.ScheduleDefinition(
    name="nightly",
    job=nightly_refresh,
    cron_schedule="30 2 * * *",
    execution_timezone="Europe/London",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


@dg.op(description="Receive every file in the inbox; a file leaves the inbox once its bytes are sealed.")
def empty_inbox(context: dg.OpExecutionContext) -> None:
    """Receive `inbox/<feed>/*`; what is no plain file stays where it is and is named."""
    here = settings.load()
    for feed in catalogue.feeds().values():
        for arrival in intake.receive_inbox(here, feed):
            context.log.info(f"{arrival.feed}: {arrival.file}: {arrival.verdict}")


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
