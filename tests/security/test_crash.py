"""kill -9 at any moment: the next run completes, nothing is lost or doubled, the old release is served throughout."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import time
from pathlib import Path

import polars as pl
import pytest

from pipelines.adapters import releases, warehouse
from pipelines.adapters.landing import Landing
from tests.support.guarded import Guarded
from tests.support.hostile import counted
from tests.support.stores import Store
from tests.support.supplied import supplied

CHOSEN = os.environ.get("DATASTORE_CRASH_POINTS")
RECEIVE_POINTS = int(CHOSEN or 10)
REFRESH_POINTS = int(CHOSEN or 2)
SEED = 20201119
KILLED = -9
FIGURES = "SELECT count(*), sum(value), sum(hash(metric_id, org_code, value)) FROM marts.observation"


def moments(points: int) -> list[float]:
    """Shares of a command's duration at which to kill it: a random one in each of so many equal parts."""
    chance = random.Random(SEED)
    return [(part + chance.random()) / points for part in range(points)]


@pytest.fixture(scope="module")
def supply(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A supplier's folder: two months that will be accepted, and one file that will not."""
    folder = tmp_path_factory.mktemp("supply")
    for month in ("April", "May"):
        shutil.copy(supplied("ae_monthly", month), folder)
    (folder / "June.csv").write_bytes(counted("-4"))
    return folder


def _digests(folder: Path) -> set[str]:
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def _rows(store: Store) -> pl.DataFrame:
    """Every accepted row of the A&E feed."""
    with warehouse.connect(store.settings) as connection:
        paths = sorted((store.settings.accepted / "ae_monthly").glob("*.parquet"))
        return pl.concat(warehouse.read_rows(connection, path) for path in paths)


def _half_written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*") if path.name != ".incoming" or any(path.iterdir())]


def test_receive_survives_kill_9(guarded: Guarded, supply: Path, tmp_path: Path) -> None:
    """At ten moments of its work: what was sealed is whole, and the same call again ends as if nothing had been."""
    commands = guarded.commands
    undisturbed = Store(tmp_path / "undisturbed")
    # The faster of two: on a busy machine one alone may take so long that the kills come after the end of the others.
    runs = [commands.run(one, "receive", "ae_monthly", supply) for one in (Store(tmp_path / "first"), undisturbed)]
    assert [one.code for one in runs] == [3, 3], runs
    seconds = min(one.seconds for one in runs)
    expected, killed = _rows(undisturbed), 0
    for number, moment in enumerate(moments(RECEIVE_POINTS)):
        store = Store(tmp_path / str(number))
        landing = Landing(store.settings)
        running = commands.start(store, "receive", "ae_monthly", supply)
        time.sleep(moment * seconds)
        running.kill()
        killed += running.wait().code == KILLED
        for held in landing.batches():
            assert hashlib.sha256(b"".join(landing.original(held))).hexdigest() == held.sha256
        again = commands.run(store, "receive", "ae_monthly", supply)
        assert again.code == 3, again.err
        held = landing.batches()
        assert {batch.sha256 for batch in held} == _digests(supply)
        assert sorted(batch.verdict for batch in held) == ["accepted", "accepted", "quarantined"]
        assert not any(batch.accepted_path.exists() and batch.quarantine_path.exists() for batch in held)
        assert _rows(store).equals(expected), moment
        assert _half_written(store.home) == [], moment
    assert killed >= RECEIVE_POINTS // 2


def _answer(store: Store) -> list[tuple[object, ...]]:
    """What the release that is served says, asked as a reader would."""
    with releases.open_tier(releases.current(store.settings), "public") as connection:
        return connection.execute(FIGURES).fetchall()


def test_refresh_survives_kill_9(guarded: Guarded, tmp_path: Path) -> None:
    """At moments of its work: a whole release stays served, and the next refresh publishes the same figures."""
    commands, store = guarded.commands, guarded.copy(tmp_path)
    assert guarded.refreshed
    seconds = guarded.refreshed.seconds
    expected, killed = _answer(store), 0
    for moment in moments(REFRESH_POINTS):
        running = commands.start(store, "refresh")
        deadline = time.monotonic() + moment * seconds
        while time.monotonic() < deadline:
            assert _answer(store) == expected
            time.sleep(0.2)
        running.kill()
        killed += running.wait().code == KILLED
        assert _is_whole(releases.current(store.settings))
        assert _answer(store) == expected
        again = commands.run(store, "refresh")
        assert again.code == 0, (moment, again.err)
        assert _answer(store) == expected
        assert releases.current(store.settings) == releases.kept(store.settings)[-1]
        assert _half_written(store.settings.published) == []
        assert all(_is_whole(folder) for folder in store.settings.published.glob("[0-9]*"))
    assert killed >= REFRESH_POINTS - 1


def _is_whole(folder: Path) -> bool:
    files = [folder / "release.json", *(folder / tier / "datastore.duckdb" for tier in releases.TIERS)]
    return all(path.is_file() for path in files)
