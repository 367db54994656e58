"""Forgetting runs: what Dagster keeps of them holds counts and names of files, and none of it outlives a dataset."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import dagster as dg

from pipelines.adapters.files import destroy_file, destroy_folder
from pipelines.settings import Settings


def forget(settings: Settings, keep_run: str | None = None) -> None:
    """Remove every run with its events, logs and asset history, but for the run that is going on.

    Schedules, sensors and their state stay. Rows of an SQLite file are overwritten as they go (secure_delete), and the
    file is written anew. Doing it twice gives the same.
    """
    if not (settings.dagster / "history").exists():
        return
    with dg.DagsterInstance.from_config(str(settings.dagster)) as instance:
        for run in instance.get_runs():
            if run.run_id != keep_run:
                instance.delete_run(run.run_id)
        instance.wipe_assets(list(instance.get_asset_keys()))
    shards = settings.dagster / "history" / "runs"
    for path in shards.glob("*.db*"):
        if not path.name.startswith("index.db") and not path.name.startswith(f"{keep_run}.db"):
            destroy_file(path)
    for folder in (settings.dagster / "storage").glob("*"):
        if folder.name != keep_run:
            destroy_folder(folder)
    _scrub(shards / "index.db", "DELETE FROM asset_check_executions", "DELETE FROM asset_event_tags")
    _scrub(settings.dagster / "history" / "runs.db")
    _scrub(settings.dagster / "schedules" / "schedules.db", "DELETE FROM job_ticks")


def _scrub(path: Path, *statements: str) -> None:
    """Run statements on an SQLite file and write it anew, so that no page keeps what was deleted."""
    if not path.exists():
        return
    with contextlib.closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        for statement in statements:
            connection.execute(statement)
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
