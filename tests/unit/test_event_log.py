"""Dagster's event log with its databases kept open: the same files and rows as Dagster's own, fewer openings."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

from pipelines.adapters.event_log import EventLog

RUNS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


def materialized(run_id: str, name: str) -> EventLogEntry:
    """An asset was materialized."""
    told = StepMaterializationData(dg.AssetMaterialization(dg.AssetKey(["marts", name]), metadata={"rows": 1}))
    event = DagsterEvent(
        DagsterEventType.ASSET_MATERIALIZATION.value, "nightly", step_key="step", event_specific_data=told
    )
    return EventLogEntry(
        error_info=None,
        level=10,
        user_message="",
        run_id=run_id,
        timestamp=1.0,
        step_key="step",
        job_name="nightly",
        dagster_event=event,
    )


def test_dagsters_own_storage_reads_it(tmp_path: Path) -> None:
    """Two runs that take turns, while it is open and after; the index knows the assets of both."""
    ours = EventLog(str(tmp_path))
    for name in ("a", "b"):
        for run_id in RUNS:
            ours.store_event(materialized(run_id, name))
    for log in (ours, SqliteEventLogStorage(str(tmp_path))):
        for run_id in RUNS:
            assert [entry.dagster_event.asset_key.path[1] for entry in log.get_logs_for_run(run_id)] == ["a", "b"]
        assert len(log.all_asset_keys()) == 2
    ours.dispose()
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".db"] * 3
    assert len(SqliteEventLogStorage(str(tmp_path)).get_logs_for_run(RUNS[0])) == 2


def test_a_database_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many events: a run's is opened to make its tables and to write, the index's is open from the start."""
    opened: list[str] = []
    connect = sqlite3.dbapi2.connect

    def counting(path: str, *arguments: object, **options: object) -> sqlite3.Connection:
        opened.append(Path(path).name)
        return connect(path, *arguments, **options)

    log = EventLog(str(tmp_path))
    monkeypatch.setattr("sqlite3.dbapi2.connect", counting)
    for number in range(20):
        log.store_event(materialized(RUNS[0], str(number)))
    assert set(opened) == {f"{RUNS[0]}.db"}
    assert len(opened) <= 3, opened
    log.dispose()


def test_an_event_is_there_for_others_at_once(tmp_path: Path) -> None:
    """What the interface reads while the run goes on; and wiping leaves nothing, not even an open file."""
    log = EventLog(str(tmp_path))
    log.store_event(materialized(RUNS[0], "a"))
    with sqlite3.connect(tmp_path / f"{RUNS[0]}.db") as other:
        assert other.execute("SELECT count(*) FROM event_logs").fetchone() == (1,)
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    log.wipe()
    assert EventLog(str(tmp_path)).get_logs_for_run(RUNS[0]) == []
