"""A refresh from the command line: the same Dagster job as at night, in this process, recorded in the same instance."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from pipelines import building, status
from pipelines.adapters import releases
from pipelines.adapters.dbt_project import ProjectBroken
from pipelines.adapters.unfinished import Unfinished, require_none
from pipelines.components.one_run import NIGHTLY
from pipelines.settings import PROJECT_ROOT, Settings, program

LOCATION_TAG = {".dagster/repository": "__repository__@covid_datastore"}


@dataclass(frozen=True)
class Refreshed:
    """What came of a refresh: the release, or why there is none."""

    published: bool
    run_id: str
    seconds: float
    release: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)


def refresh(settings: Settings, on_step: Callable[[str], None] = lambda step: None) -> Refreshed:
    """Run the nightly job now; `on_step` hears the name of each step as it starts.

    When nothing came, the run is of what the day decides; when the build was lost before it began, another one is of
    everything.
    """
    try:
        require_none(settings)
    except Unfinished as unfinished:
        return Refreshed(False, "", 0.0, reasons=[str(unfinished)])
    _instance_config(settings)
    started = dt.datetime.now(dt.UTC)
    with dg.DagsterInstance.get() as instance, _silence():
        job = _job()
        result = _run(_of_the_night(job) if building.is_unchanged(settings) else job, instance, on_step)
        if any(kind == building.BuildLost.__name__ for _, _, kind in _failures(result)):
            result = _run(job, instance, on_step)
    run_id = result.run_id
    seconds = (dt.datetime.now(dt.UTC) - started).total_seconds()
    if result.success:
        return Refreshed(True, run_id, seconds, release=releases.record(releases.current(settings)))
    reasons = list(_reasons(result)) or [f"the run failed: open run {run_id[:8]} in the Dagster UI (make dev)"]
    status.record_attempt(settings, "refused", reasons[0])
    return Refreshed(False, run_id, seconds, reasons=reasons)


def _job() -> dg.JobDefinition:
    from pipelines.definitions import defs

    return defs().resolve_job_def(NIGHTLY)


def _of_the_night(job: dg.JobDefinition) -> dg.JobDefinition:
    from pipelines.defs.schedule.jobs import CHECKS_OF_THE_NIGHT, OF_THE_NIGHT

    return job.get_subset(asset_selection=OF_THE_NIGHT, asset_check_selection=CHECKS_OF_THE_NIGHT)


def _run(
    job: dg.JobDefinition, instance: dg.DagsterInstance, on_step: Callable[[str], None]
) -> dg.ExecuteInProcessResult:
    run_id = str(uuid.uuid4())
    instance.add_event_listener(run_id, lambda entry: _hear(entry, on_step))
    return job.execute_in_process(
        run_id=run_id,
        instance=instance,
        raise_on_error=False,
        tags=LOCATION_TAG,
        # Console logging would print tracebacks; the run's own log, shown in the UI, keeps them.
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Steps print what dbt prints; here it goes to the run's log alone."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _instance_config(settings: Settings) -> None:
    """Dagster reads its instance's configuration from its home; ours stands in the checkout."""
    target = settings.dagster / "dagster.yaml"
    source = PROJECT_ROOT / "dagster.yaml"
    if not target.exists() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(source, target)


def _hear(entry: dg.EventLogEntry, on_step: Callable[[str], None]) -> None:
    event = entry.dagster_event
    if event is not None and event.event_type == dg.DagsterEventType.STEP_START and event.step_key:
        on_step(event.step_key)


def _reasons(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    for check in result.get_asset_check_evaluations():
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
            counts = check.metadata
            broken = counts["rows_broken"].value if "rows_broken" in counts else None
            detail = f" ({broken} rows)" if broken else ""
            yield f"{check.asset_key.to_user_string()}: {check.check_name}: {check.description or 'failed'}{detail}"
    for step, cause, kind in _failures(result):
        if kind == INTERRUPTED:
            yield f"stopped while step {step} ran: the next refresh makes up for it"
        elif kind != "DagsterAssetCheckFailedError":
            yield f"step {step} failed with {kind}{_said(cause, kind)}: see the run in the Dagster UI"


def _failures(result: dg.ExecuteInProcessResult) -> Iterator[tuple[str | None, Any, str]]:
    """The steps that failed, what their code raised, and its kind."""
    for event in result.get_step_failure_events():
        error = event.step_failure_data.error
        cause = error.cause if error and error.cause else error
        yield event.step_key, cause, (cause.cls_name or "error") if cause else "error"


INTERRUPTED = "DagsterExecutionInterruptedError"
# Errors of whose message the first line is ours and holds no value of the data.
OURS = {
    "DbtFailed",
    "Ungoverned",
    "KeyMissing",
    "SealBroken",
    "GateError",
    "NoRelease",
    "NothingAccepted",
    "BuildLost",
    Unfinished.__name__,
    "Unpublishable",
    ProjectBroken.__name__,
}


def _said(error: Any, kind: str) -> str:
    return f" ({error.message.strip().partition(': ')[2].splitlines()[0]})" if kind in OURS and error.message else ""


def start_ui(settings: Settings, arguments: list[str]) -> None:
    """Become the Dagster UI and daemons on this store's state."""
    _instance_config(settings)
    command = [str(program("dagster")), "dev", "-w", str(PROJECT_ROOT / "workspace.yaml"), *arguments]
    os.chdir(PROJECT_ROOT)
    # Its servers talk over sockets in the temporary folder, whose names may not be long; our code resets it.
    os.environ.pop("TMPDIR", None)
    os.execv(command[0], command)  # noqa: S606
