"""A key that is gone is said to be gone: no new key of its name hides the loss."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.stores import Store
from tests.support.supplied import england


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    done = store.run("receive", "ods_trusts", str(england() / "ods_trusts" / "etr.csv"))
    assert done.returncode == 0, done.stderr
    return store


def test_a_feeds_lost_key_is_not_made_anew(store: Store) -> None:
    [key] = (store.home / "keys").glob("feed.ods_trusts.*.key")
    kept = key.rename(store.home / "kept.key")
    done = store.run("receive", "ods_trusts", str(england() / "ods_trusts" / "etr_autumn.csv"))
    assert done.returncode == 1 and key.stem in done.stderr and len(done.stderr.splitlines()) == 1
    assert not key.exists()
    kept.rename(key)
    assert store.run("receive", "ods_trusts", str(england() / "ods_trusts" / "etr_autumn.csv")).returncode == 0


def test_rows_come_back_from_the_originals_when_the_derived_key_is_lost(store: Store) -> None:
    (store.home / "keys/derived.1.key").unlink()
    done = store.run("refresh")
    assert done.returncode in (1, 4) and "derived.1" in done.stderr, done.stderr
    for zone in ("accepted", "operations", "build"):
        shutil.rmtree(store.home / zone)
    done = store.run("refresh")
    assert done.returncode == 0, done.stderr
    listed = len((england() / "ods_trusts" / "etr.csv").read_text().splitlines())
    assert store.ask("select count(*) as n from marts.organisation where org_level = 'trust'") == [{"n": listed}]
