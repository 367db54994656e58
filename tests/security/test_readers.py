"""Whoever has the published file open reads on undisturbed while a refresh replaces it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import duckdb

from pipelines.adapters import releases
from tests.support.guarded import Guarded
from tests.support.hostile import counted

# A trust's emergency admissions in April 2020, as they are known now.
FIGURE = """
    SELECT value FROM marts.observation
    WHERE metric_id = 'other_emergency_admissions__all__msitae' AND org_code = 'ZA5' AND known_to IS NULL
"""
TABLES = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts' ORDER BY ALL"


def contents(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[object, ...]]:
    """Every row of a mart, as one number and how many they are."""
    return connection.execute(f"SELECT count(*), sum(hash(t)) FROM marts.{table} t").fetchall()


def test_an_open_file_is_a_snapshot(guarded: Guarded, tmp_path: Path) -> None:
    """No error and not one other row through a whole refresh, in tables read before and in those not read yet.

    Who opens the release afterwards sees the new one.
    """
    restated = tmp_path / "April-2020-revised-010621.csv"
    restated.write_bytes(counted("336"))
    here = guarded.store.settings
    before, path = releases.current(here), here.published / "current" / "public" / "datastore.duckdb"
    kept = Path(shutil.copy(path, tmp_path / "kept.duckdb"))
    with duckdb.connect(str(path), read_only=True) as reader, duckdb.connect(str(kept), read_only=True) as copy:
        tables = [table for (table,) in copy.execute(TABLES).fetchall()]
        [(figure,)], asked = copy.execute(FIGURE).fetchall(), 0
        assert guarded.run("receive", "ae_monthly", restated).code == 0
        running = guarded.commands.start(guarded.store, "refresh")
        while running.is_running and releases.current(here) == before:
            assert contents(reader, "organisation") == contents(copy, "organisation")
            asked += 1
            time.sleep(0.05)
        assert running.wait().code == 0
        assert asked > 1
        assert releases.current(here) != before
        assert len(tables) > 5
        for table in tables:
            assert contents(reader, table) == contents(copy, table), table
        assert guarded.store.ask(FIGURE) == [{"value": figure + 1}]
