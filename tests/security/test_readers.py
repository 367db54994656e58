"""Whoever has the published file open reads on undisturbed while a refresh replaces it."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb

from pipelines.adapters import releases
from tests.security.conftest import Guarded
from tests.support.hostile import counted

# Emergency admissions of the nation in April 2020, as the observation mart has them now.
NOW = """
    SELECT value FROM marts.observation
    WHERE metric_id = 'other_emergency_admissions__all__msitae' AND org_code = 'ZA5' AND known_to IS NULL
"""
ALL = "SELECT count(*), sum(hash(observation)) FROM marts.observation"


def test_an_open_file_is_a_snapshot(guarded: Guarded, tmp_path: Path) -> None:
    """No error and not one other figure through a whole refresh; who opens it afterwards sees the new release."""
    restated = tmp_path / "April-2020-revised-010621.csv"
    restated.write_bytes(counted("336"))
    before = releases.current(guarded.store.settings)
    path = guarded.store.settings.published / "current" / "public" / "datastore.duckdb"
    with duckdb.connect(str(path), read_only=True) as reader:
        [(figure,)], everything = reader.execute(NOW).fetchall(), reader.execute(ALL).fetchall()
        assert guarded.run("receive", "ae_monthly", restated).code == 0
        running = guarded.commands.start(guarded.store, "refresh")
        asked = 0
        while releases.current(guarded.store.settings) == before and running.is_running:
            assert reader.execute(ALL).fetchall() == everything
            asked += 1
            time.sleep(0.05)
        assert running.wait().code == 0
        assert asked > 1
        assert reader.execute(ALL).fetchall() == everything
        assert reader.execute(NOW).fetchall() == [(figure,)]
        assert releases.current(guarded.store.settings) != before
        assert guarded.store.ask(NOW) == [{"value": figure + 1}]
