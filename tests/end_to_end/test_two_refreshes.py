"""Two refreshes that start together on the same batches: one after the other, the same Parquet, seven releases kept."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from pipelines import settings
from pipelines.adapters import releases
from tests.support.stores import Store

STEPS = {dg.DagsterEventType.STEP_START, dg.DagsterEventType.STEP_SUCCESS}


@dataclass(frozen=True)
class Twice:
    """A store after two refreshes at once: their exit codes, and the release before as it was."""

    store: Store
    codes: list[int]
    before: Path
    digests: dict[str, str]


@pytest.fixture(scope="module")
def twice(built_datastore: Store, tmp_path_factory: pytest.TempPathFactory) -> Twice:
    """A copy of the store, with more old releases than are kept, refreshed by two processes."""
    store = built_datastore.copy(tmp_path_factory.mktemp("twice") / "store")
    before = releases.current(store.settings)
    digests = parquet(before)
    for number in range(releases.KEPT + 2):
        old = store.home / "published" / f"20000101T00000{number}Z-old"
        old.mkdir()
        (old / "release.json").write_text(
            json.dumps({"release_id": old.name, "published_at": "2000-01-01T00:00:00+00:00", "rows": {}})
        )
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "refresh"],
            env=store.environment,
            cwd=settings.PROJECT_ROOT,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    return Twice(store, [process.wait() for process in both], before, digests)


def parquet(release: Path) -> dict[str, str]:
    """SHA-256 of every public Parquet file, of each organisation view, but those that carry times of running."""
    folder = release / "public"
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.parquet"))
        if path.stem not in ("quality", "release")
    }


def test_they_run_one_after_the_other_and_both_publish(twice: Twice, monkeypatch: pytest.MonkeyPatch) -> None:
    assert twice.codes == [0, 0]
    new = [folder for folder in releases.kept(twice.store.settings) if folder.name > twice.before.name]
    assert len(new) == 2 and releases.current(twice.store.settings) == new[-1]
    # Where the event log lies follows from the store's home.
    monkeypatch.setenv("DATASTORE_HOME", str(twice.store.home))
    with dg.DagsterInstance.from_config(str(twice.store.home / "dagster")) as instance:
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


def test_the_same_batches_give_the_same_parquet(twice: Twice) -> None:
    for release in releases.kept(twice.store.settings)[-2:]:
        assert parquet(release) == twice.digests


def test_seven_releases_are_kept(twice: Twice) -> None:
    kept = releases.kept(twice.store.settings)
    assert len(kept) == releases.KEPT and kept[-1] == releases.current(twice.store.settings)
    assert kept[-3] == twice.before
