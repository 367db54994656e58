"""Dagster's event log, as it comes but for one thing: a database that was opened stays open, and its tables are known.

Dagster makes an engine and a connection for each query of an event log in SQLite, and the last connection that closes
writes the whole log of changes into its file and waits for the disk, twice an event. With over a thousand events that
was half of a night in which nothing had come. Here the databases of the index and of the run that is written stay
open, and a commit does not wait for the disk: a killed process loses nothing, a power cut the newest events at most.
A table that was once found is not looked for again before each event of a check. Files and tables are Dagster's own,
so its tools and its own storage read them. Named in `dagster.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import sqlalchemy as sql
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import QueuePool

from pipelines import settings


class EventLog(SqliteEventLogStorage):
    """Events of runs under `history/runs` of Dagster's home, one SQLite file a run and one that indexes them."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, sql.Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Nothing is configured: where the log lies follows from the store's home."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]) -> Self:
        """The event log of the store that the environment names."""
        return cls(str(settings.load().dagster / "history" / "runs"), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sql.Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> sql.Engine:
        """The engine of a database, kept; of runs that of the last one alone, so that few files are open."""
        if shard not in self._engines:
            for other in [name for name in self._engines if INDEX_SHARD_NAME not in (name, shard)]:
                self._engines.pop(other).dispose()
            engine = sql.create_engine(
                self.conn_string_for_shard(shard),
                poolclass=QueuePool,
                pool_size=1,
                max_overflow=1,  # while a database is made, Dagster's schema tool has a connection of its own
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
            )
            sql.event.listen(engine, "connect", _wait_for_no_disk)
            self._engines[shard] = engine
        return self._engines[shard]

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; one that is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def wipe(self) -> None:
        """Remove every event; no database stays open on a file that is gone."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close what is open."""
        self._close()
        super().dispose()

    def _close(self) -> None:
        self._tables.clear()
        while self._engines:
            self._engines.popitem()[1].dispose()


def _wait_for_no_disk(connection: Any, record: Any) -> None:
    """The log of changes keeps the database whole without it (SQLite, PRAGMA synchronous: NORMAL with WAL)."""
    connection.execute("PRAGMA synchronous = NORMAL")
