"""Nights in any sequence, some of them stopped, leave the marts that one build from the beginning makes."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import building
from pipelines.adapters import warehouse
from tests.support import oracle
from tests.support.forks import Commands
from tests.support.person_files import Sent, written
from tests.support.person_rows import comparable
from tests.support.person_store import IMPORTED, REFRESH, PersonStore
from tests.support.person_window import UNKNOWN, WINDOWS

RECEIVED = "2021-01-01T12:00:00+00:00"
NAMED = "NAMED BY ITS RETURN ALONE"
# A refresh starts dbt; `DATASTORE_SEQUENCES` asks for more of them than a run of all tests has time for.
SEQUENCES = int(os.environ.get("DATASTORE_SEQUENCES", "1"))


@pytest.fixture(scope="module")
def refreshes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Refreshes without Dagster, whose imports were done before."""
    outputs = tmp_path_factory.mktemp("refreshes")
    with Commands(outputs, command=REFRESH, imported=IMPORTED) as commands:
        yield commands


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_nights_in_any_order_are_one_build(
    seed: int, refreshes: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files come in any order, refreshed between or not, a refresh is killed in between: nothing tells afterwards.

    A provider that no list knows is named by a return that comes after its first records.
    """
    monkeypatch.setenv("DATASTORE_NOW", RECEIVED)
    chance = random.Random(f"nights {seed}")
    lives: list[list[int]] = []
    of_unknown: Sent | None = None
    while len(lives) < 10 or not of_unknown:
        lives.append([chance.randrange(2**24) for _ in range(chance.randint(1, 4))])
        supplied = written(WINDOWS[seed % len(WINDOWS)], lives, seed, most_files=2)
        of_unknown = next((sent for sent in supplied.files if _tells_of(UNKNOWN, sent)), None)
    store = PersonStore(tmp_path / "store", refreshes)
    store.receive_lists(supplied.window.organisations)
    nights, is_made_up_for = _nights([sent for sent in supplied.files if sent is not of_unknown], chance), True
    nights[0].append(of_unknown)
    nights.insert(1, [])
    for number, night in enumerate(nights):
        for sent in night:
            store.receive(sent)
        if number == 1:
            store.receive_return(UNKNOWN, NAMED)
        # The first night is the measure of how long one takes; the second brings that return alone; the third is as
        # nights should be.
        if number > 2 and chance.random() < 0.6:
            store.refresh(stop_after=0.3 + 0.7 * chance.random())
            is_made_up_for = False
        if number in (0, 1, 2, len(nights) - 1) or chance.random() < 0.7:
            store.refresh()
            if is_made_up_for:
                assert bool(store.begun_anew()) == (number == 0), store.begun_anew()
            assert store.names(UNKNOWN) == {NAMED if number else UNKNOWN}
            is_made_up_for = True
    by_nights = store.marts()
    told = oracle.records(
        [row for sent in supplied.files for row in _accepted(sent)],
        supplied.window.organisations,
    )
    for mart, tell in oracle.MARTS.items():
        assert comparable(store.mart(mart)) == comparable(tell(told)), mart
    store.rebuild()
    at_once = store.marts()
    assert by_nights.keys() == at_once.keys()
    for mart, rows in at_once.items():
        assert (mart, by_nights[mart] - rows, rows - by_nights[mart]) == (mart, {}, {})


def test_ties_are_found_night_by_night_as_at_once(
    refreshes: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that nothing but their identifiers puts in order: found by a file a night as by all files at once."""
    monkeypatch.setenv("DATASTORE_NOW", RECEIVED)
    chance = random.Random("ties")
    supplied = written(WINDOWS[0], [[chance.randrange(2**24) for _ in range(4)] for _ in range(60)], 1, most_files=3)
    store, found = PersonStore(tmp_path / "store", refreshes), []
    for sent in supplied.files:
        store.receive(sent)
        found.append(_sent_order(store))
    assert found[-1] and not found[0], "ties come with a later file"
    (store.store.settings.operations / "sent_order.json").unlink()
    assert found[-1] == _sent_order(store)


def _sent_order(store: PersonStore) -> list[tuple[object, ...]]:
    """The order that is kept, once a refresh has taken stock."""
    settings = store.store.settings
    building.take_stock(settings)
    with warehouse.connect(settings) as connection:
        return sorted(warehouse.read_rows(connection, settings.operations / "sent_order.parquet").iter_rows())


def _nights(files: list[Sent], chance: random.Random) -> list[list[Sent]]:
    """The files dealt out to four nights, in any order."""
    chance.shuffle(files)
    nights: list[list[Sent]] = [[], [], [], []]
    for file in files:
        chance.choice(nights).append(file)
    return nights


def _tells_of(provider: str, sent: Sent) -> bool:
    """Whether the file has a spell of that provider, which every mart of spells counts."""
    return sent.file.feed == "apc_spells" and any(
        row.key[0] == provider and not row.is_deletion for row in _accepted(sent)
    )


def _accepted(sent: Sent) -> tuple[oracle.Accepted, ...]:
    return oracle.read(sent.file, dt.date(2021, 1, 1)).accepted
