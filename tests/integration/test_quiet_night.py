"""Whether everything has to be made: something is left out only when dbt reads what it read the last time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.adapters import quiet_night, records, warehouse
from tests.support.stores import Store

RELEASE = {name: None for name in records.SCHEMAS["releases"]} | {"release_id": "now"}
MANIFEST: dict[str, Any] = {
    "sources": {
        "source.releases": {"source_name": "operations", "name": "releases"},
        "source.batches": {"source_name": "operations", "name": "batches"},
    },
    "nodes": {
        "model.release": {"name": "release", "resource_type": "model"},
        "model.batches": {"name": "batches", "resource_type": "model"},
        "model.quality": {"name": "quality", "resource_type": "model"},
        "seed.metrics": {"name": "metrics", "resource_type": "seed"},
        "test.release": {"name": "not_null_release", "resource_type": "test"},
        "test.batches": {"name": "not_null_batches", "resource_type": "test"},
        "test.both": {"name": "release_knows_batches", "resource_type": "test"},
    },
    "child_map": {
        "source.releases": ["model.release", "model.quality"],
        "source.batches": ["model.batches"],
        "model.batches": ["model.quality", "test.batches", "test.both"],
        "model.release": ["test.release", "test.both"],
        "model.quality": [],
        "seed.metrics": [],
    },
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one accepted file and every record, built once."""
    store = Store(tmp_path / "store")
    here = store.settings
    with warehouse.build(here):
        pass
    accept(store, "aa")
    for name in records.SCHEMAS:
        records.write(here, name, [])
    read = quiet_night.begin(here)
    assert read is not None
    quiet_night.end(here, read)
    return store


def accept(store: Store, name: str) -> None:
    path = store.settings.accepted / "ae_monthly" / f"{name}.parquet"
    with warehouse.connect(store.settings) as connection:
        warehouse.write_rows(connection, pl.DataFrame({"n": [1]}), path)


def test_nothing_came(store: Store) -> None:
    """Records written again with the same rows are the same, whatever their bytes; a new release alone is no reason."""
    for name in records.SCHEMAS:
        records.write(store.settings, name, [RELEASE] if name == "releases" else [])
    assert quiet_night.begin(store.settings) is None


CHANGES: dict[str, Callable[[Store], object]] = {
    "a file was accepted": lambda store: accept(store, "bb"),
    "a file went": lambda store: (store.settings.accepted / "ae_monthly" / "aa.parquet").unlink(),
    "another file instead": lambda store: (store.settings.accepted / "ae_monthly" / "aa.parquet").rename(
        store.settings.accepted / "ae_monthly" / "bb.parquet"
    ),
    "opt-outs apply now": lambda store: records.write(store.settings, "person_rules", [{"opt_outs_apply": True}]),
    "a check was judged again": lambda store: records.write(
        store.settings,
        "checks",
        [{name: None for name in records.SCHEMAS["checks"]} | {"checked_at": dt.datetime(2020, 6, 1)}],
    ),
    "the build is gone": lambda store: store.settings.build.unlink(),
    "the internal marts are gone": lambda store: store.settings.internal_build.unlink(),
    "the last build did not end": lambda store: (store.settings.build.parent / "read").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_something_came(store: Store, change: str) -> None:
    """Each thing that a model could show makes everything anew, and stays a reason until a build has ended well."""
    CHANGES[change](store)
    assert quiet_night.begin(store.settings) is not None
    read = quiet_night.begin(store.settings)  # the build before was killed
    assert read is not None
    quiet_night.end(store.settings, read)
    with warehouse.build(store.settings):
        pass
    assert quiet_night.begin(store.settings) is None


def test_the_project_or_a_maker_is_another(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed model, seed or version of what makes the tables."""
    with monkeypatch.context() as patch:
        patch.setattr(quiet_night, "digest", lambda: "another")
        assert quiet_night._inputs(store.settings) != (store.settings.build.parent / "read").read_text()
    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.version", lambda name: "0")
        assert quiet_night._inputs(store.settings) != (store.settings.build.parent / "read").read_text()


def test_what_depends_on_the_release_is_made() -> None:
    """Models below the record of releases, and every test that looks at one of them."""
    assert quiet_night.not_of_the_night(MANIFEST) == ["batches", "metrics", "not_null_batches"]
