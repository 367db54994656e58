"""kill -9 at any moment of the end of a dataset: the store is wholly as before, or goes on to the same end."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import time
from pathlib import Path

from pipelines.adapters.keys import KeyStore
from pipelines.adapters.landing import Landing
from tests.support import ending
from tests.support.ending import Ending
from tests.support.forks import Commands
from tests.support.guarded import Guarded

POINTS = int(os.environ.get("DATASTORE_CRASH_POINTS") or 2)
SEED = 20220630
KILLED = -9
FEED = ending.TESTS
# A month of the feed ends, the next one stays.
GOES, STAYS = dt.date(2020, 3, 31), dt.date(2020, 4, 30)


class Killed:
    """An execution that is killed at a moment, on a copy of a store."""

    def __init__(self, commands: Commands, one: Ending, plan: str) -> None:
        self.one = one
        changed = {"DATASTORE_GOVERNANCE": str(one.governance)}
        self._running = commands.start(one.store, "retention", "execute", plan, changed=changed)
        self._began = time.monotonic()

    def at(self, seconds: float) -> bool:
        """Kill it after so many seconds; whether it still ran."""
        time.sleep(max(0.0, self._began + seconds - time.monotonic()))
        self._running.kill()
        return self._running.wait().code == KILLED

    def when_committed(self) -> bool:
        """Kill it as soon as it has passed the point of no return; whether it still ran."""
        path = self.one.store.settings.retention / "open"
        while not path.exists() and self._running.is_running:
            time.sleep(0.005)
        self._running.kill()
        return self._running.wait().code == KILLED


def state(one: Ending) -> dict[str, str]:
    """Every file of data and of keys with its digest, but for keys of a generation that was never in use."""
    home = one.store.home
    places = ("landing", "accepted", "operations", "build", "published", "quarantine", "keys")
    files = [path for place in places for path in (home / place).rglob("*") if path.is_file()]
    found = {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    aside = ("keys/audit.head", "keys/register.jsonl", "keys/lock", "keys/derived.2.key", "keys/internal_tier.2.key")
    return {name: told for name, told in found.items() if name not in aside}


def test_an_end_survives_kill_9(guarded: Guarded, tmp_path: Path) -> None:
    """Before the point of no return nothing has changed; after it the same command ends as if nothing had been."""
    one = Ending.begin(tmp_path / "one")
    files = {day: ending.file_of_tests(tmp_path, day.strftime("%B"), day) for day in (GOES, STAYS)}
    for path in files.values():
        one.run("receive", FEED, str(path))
    one.receive([], persons=False)
    one.run("refresh")
    one.end(feeds=[FEED], agreements=[ending.PERSONS], **{"from": GOES.replace(day=1), "to": GOES})
    plan = one.plan()["plan"]
    one.approve(plan)
    commands, before, chance = guarded.commands, state(one), random.Random(SEED)
    # Early in its work, while the next generation is made aside.
    for number in range(max(1, POINTS // 4)):
        copy = one.copy(tmp_path / f"before{number}")
        assert Killed(commands, copy, plan).at(1 + chance.random() * 10)
        assert not (copy.store.settings.retention / "open").exists()
        assert state(copy) == before
        copy.run("query", "select count(*) from marts.observation")
    committed = one.copy(tmp_path / "committed")
    assert Killed(commands, committed, plan).when_committed()
    refused = committed.run("receive", FEED, str(files[GOES]), code=1)
    assert "ended" in refused or "interrupted" in refused
    assert "interrupted" in committed.run("refresh", code=4)
    undisturbed = committed.copy(tmp_path / "undisturbed")
    began = time.monotonic()
    assert undisturbed.execute(plan)["verification"]["passed"]
    seconds = time.monotonic() - began
    killed = 0
    for number in range(POINTS):
        copy = committed.copy(tmp_path / f"after{number}")
        killed += Killed(commands, copy, plan).at(seconds * (number + chance.random()) / POINTS)
        if (copy.store.settings.retention / "open").exists():
            done = copy.execute(plan)
            assert done["verification"]["passed"], done
        copy.run("query", "select count(*) from marts.observation")
        assert copy.json("audit", "verify")["passed"]
        assert set(state(copy)) == set(state(undisturbed))
        assert KeyStore(copy.store.settings).names() == KeyStore(undisturbed.store.settings).names()
        kept = {held.sha256 for held in Landing(copy.store.settings).batches() if held.feed == FEED}
        assert kept == {hashlib.sha256(files[STAYS].read_bytes()).hexdigest()}
        assert not (copy.store.settings.retention / "open").exists()
        assert len(list(copy.store.settings.certificates.glob("*.json"))) == 1
    assert killed >= POINTS // 2
