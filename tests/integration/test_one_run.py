"""One run at a time: two refreshes that start together run one after the other, and both publish."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg

from pipelines import settings
from pipelines.adapters import releases
from tests.support.stores import Store

STEPS = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS}


def test_two_refreshes_at_once_run_one_after_the_other(built_datastore: Store, tmp_path: Path) -> None:
    store = built_datastore.copy(tmp_path / "store")
    before = {folder.name for folder in releases.kept(store.settings)}
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "refresh"],
            env=store.environment,
            cwd=settings.PROJECT_ROOT,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    assert [process.wait() for process in both] == [0, 0]
    new = [folder.name for folder in releases.kept(store.settings) if folder.name not in before]
    assert len(new) == 2 and releases.current(store.settings).name == new[-1]

    with dg.DagsterInstance.from_config(str(store.home / "dagster")) as instance:
        spans = []
        for run in instance.get_runs(limit=2):
            times = [
                entry.timestamp
                for entry in instance.all_logs(run.run_id)
                if entry.dagster_event and entry.dagster_event.event_type in STEPS
            ]
            spans.append((min(times), max(times)))
    first, second = sorted(spans)
    assert first[1] <= second[0], "the steps of two runs overlap"
