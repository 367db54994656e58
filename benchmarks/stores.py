"""Datastores of their own for a benchmark, worked by the commands that everybody uses, each command measured."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from benchmarks.data import Files
from benchmarks.measure import NOTHING, Cost, measured
from pipelines.adapters import warehouse
from pipelines.adapters.keys import KeyStore
from pipelines.settings import PROJECT_ROOT, Settings

# dbt then logs every statement, in a form and in one file that a program can read (see `bare`).
LOGGED = {"DBT_LOG_LEVEL_FILE": "debug", "DBT_LOG_FORMAT_FILE": "json", "DBT_LOG_FILE_MAX_BYTES": str(1 << 30)}


@dataclass(frozen=True)
class Store:
    """A store below `home`. Stores of one run share their keys, so that they can be compared."""

    home: Path
    keys: Path
    memory: str | None = None
    logs: list[Path] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The store's paths."""
        return Settings(home=self.home, keys=self.keys)

    @property
    def environment(self) -> dict[str, str]:
        """What a process on this store needs. No memory limit, no clock and no setting of Python's leaks in: without
        bytecode that is kept, every process compiles for longer than it works."""
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DATASTORE_", "DAGSTER_", "DBT_", "PYTHON"))
        }
        limit = {"DATASTORE_MEMORY": self.memory} if self.memory else {}
        return {**ours, **limit, "DATASTORE_HOME": str(self.home), "DATASTORE_KEYS": str(self.keys)}

    def receive(self, files: Files) -> Cost:
        """`datastore receive` for each feed that has files, in turn."""
        cost = NOTHING
        for feed, paths in files.items():
            cost += self._datastore("receive", feed, *map(str, paths))
        return cost

    def refresh(self, logged: bool = False) -> Cost:
        """`datastore refresh`; `logged` when its statements are to be repeated (see `bare`)."""
        return self._datastore("refresh", **(LOGGED if logged else {}))

    def run(self, *arguments: str) -> Cost:
        """A module of the project's Python on this store, measured."""
        return self._run([sys.executable, "-m", *arguments], arguments[0])

    def _datastore(self, *arguments: str, **further: str) -> Cost:
        return self._run([sys.executable, "-m", "pipelines.cli", *arguments], "-".join(arguments[:2]), **further)

    def _run(self, command: list[str], name: str, **further: str) -> Cost:
        log = self.home.with_name(f"{self.home.name}.logs") / f"{len(self.logs):02}-{name}.txt"
        self.logs.append(log)
        return measured(command, log, {**self.environment, **further}, PROJECT_ROOT)

    def remove(self) -> None:
        """Give the space back."""
        shutil.rmtree(self.home, ignore_errors=True)


@contextmanager
def released(*stores: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the internal tier of each store's current release attached, read only, as r0, r1, ..."""
    connection = duckdb.connect(config={**warehouse.CONFIG, "memory_limit": "4GB"})
    try:
        connection.load_extension(warehouse.crypto_extension())
        connection.execute(f"SET temp_directory = '{stores[0].settings.temporary}'")
        for number, store in enumerate(stores):
            path = store.settings.published / "current" / "internal" / "datastore.duckdb"
            key = KeyStore(store.settings).internal_tier().text
            connection.execute(f"ATTACH '{path}' AS r{number} (READ_ONLY, ENCRYPTION_KEY '{key}')")
        yield connection
    finally:
        connection.close()


def differing(left: Store, right: Store) -> dict[str, int]:
    """Rows of each internal mart that one store has and the other has not, counted as often as they are there."""
    with released(left, right) as connection:
        listed = [_internal_marts(connection, release) for release in ("r0", "r1")]
        counted = {mart: -1 for mart in listed[0] ^ listed[1]}
        for mart in sorted(listed[0] & listed[1]):
            sides = [f"SELECT * FROM {release}.marts.{mart}" for release in ("r0", "r1")]
            found = connection.execute(
                f"SELECT (SELECT count(*) FROM ({sides[0]} EXCEPT ALL {sides[1]}))"
                f" + (SELECT count(*) FROM ({sides[1]} EXCEPT ALL {sides[0]}))"
            ).fetchone()
            counted[mart] = int(found[0]) if found else -1
        return counted


def _internal_marts(connection: duckdb.DuckDBPyConnection, release: str) -> set[str]:
    """Marts with figures of persons; others say when a batch was received, so those of two stores never agree."""
    rows = connection.execute(
        f"SELECT DISTINCT table_name FROM {release}.marts.dictionary WHERE tier = 'internal' "
        f"AND table_name IN (SELECT table_name FROM information_schema.tables WHERE table_catalog = '{release}')"
    ).fetchall()
    return {str(name) for (name,) in rows} | {"occupancy_daily"}
