"""One run at a time, whoever starts it: the UI, the schedule or the command line."""

from collections.abc import Iterator

import dagster as dg

from pipelines import settings, status
from pipelines.adapters.files import lock
from pipelines.adapters.unfinished import require_none

ONE_RUN = "one_run"
NIGHTLY = "nightly_refresh"


@dg.resource(description="Held for a whole run, since runs execute in one process; another run waits for it.")
def one_run(context: dg.InitResourceContext) -> Iterator[None]:
    """Hold the lock on the build from the start of the run to its end; a killed run frees it.

    The lock file names the run that holds it and is emptied at a run's end, so a name found in it is that of a run
    that was killed: Dagster is told, since it would keep that run's places in the pools for ever.
    """
    here = settings.load()
    with lock(here.run_lock) as file:
        require_none(here)
        file.seek(0)
        killed = file.read().strip()
        if killed and context.instance is not None:
            _end(context.instance, killed)
        file.truncate(0)
        file.write(context.run_id or "")
        file.flush()
        if context.dagster_run is not None and context.dagster_run.job_name == NIGHTLY:
            status.record_attempt(here, "running")
        yield None
        file.truncate(0)


def _end(instance: dg.DagsterInstance, run_id: str) -> None:
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        instance.report_run_failed(run, "The process of this run was killed.")
    instance.event_log_storage.free_concurrency_slots_for_run(run_id)
