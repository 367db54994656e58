"""Sealed originals as DuckDB reads them, opened in memory and never written; and what it says when it stops."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import re
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import duckdb
import fsspec
import pyarrow as pa

from pipelines.adapters import warehouse
from pipelines.adapters.persons import reading
from pipelines.adapters.sealing import Unsealed
from pipelines.domain.refusals import refuse
from pipelines.settings import Settings

PROTOCOL = "sealed"
ADDRESS = f"{PROTOCOL}://file"
BATCH_ROWS = 122_880


class Original(Protocol):
    """The sealed bytes of a file, read from the start or anywhere, as often as needed."""

    def frames(self) -> Iterator[bytes]:
        """The bytes from the start."""

    def opened(self) -> Unsealed:
        """The bytes as a file."""


@contextlib.contextmanager
def reader(settings: Settings, opened: Callable[[], Any], size: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that has what the reading SQL uses, and reads the file that `opened` gives at `ADDRESS`."""
    with warehouse.connect(settings) as connection:
        connection.register_filesystem(_Sealed(opened, size))
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET produce_arrow_string_view = true")
        for statement in reading.setup():
            connection.execute(statement)
        yield connection


def batches(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.RecordBatchReader:
    """The answer of a query in batches of `BATCH_ROWS`, to be gone through by `each`. Raises `Stopped`."""
    try:
        return connection.execute(sql).to_arrow_reader(BATCH_ROWS)
    except duckdb.Error as error:
        raise Stopped(error) from None


def each(source: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches of an answer. Raises `Stopped`."""
    while True:
        try:
            batch = source.read_next_batch()
        except StopIteration:
            return
        except (OSError, pa.ArrowException, duckdb.Error) as error:
            raise Stopped(error) from None
        yield batch


class Stopped(Exception):
    """DuckDB stopped. What it says may hold a value of the file, so only its kind is kept."""

    def __init__(self, error: Exception) -> None:
        found = re.match(r"[A-Z][A-Za-z ]* Error", str(error))
        self.kind = found.group() if found else type(error).__name__
        super().__init__(self.kind)

    @property
    def is_of_the_file(self) -> bool:
        """Whether the file is why, rather than the machine."""
        return self.kind == "Invalid Input Error"

    def told(self) -> Exception:
        """A refusal of the file, or an error that leaves it to be settled when the machine is well again."""
        if self.is_of_the_file:
            return refuse("the file is damaged, or not what it begins as: send it again")
        return OSError(errno.EIO, f"the database stopped ({self.kind})", tempfile.gettempdir())


class _Sealed(fsspec.AbstractFileSystem):  # type: ignore[misc]
    """One sealed file as the only file of a file system, which is how DuckDB takes it."""

    protocol = PROTOCOL
    cachable = False

    def __init__(self, opened: Callable[[], Any], size: int) -> None:
        super().__init__()
        self._opened, self._size = opened, size

    def glob(self, path: str, **ignored: object) -> list[str]:
        """The one file."""
        return [path]

    def exists(self, path: str, **ignored: object) -> bool:
        """It is there."""
        return True

    def open(self, path: str, mode: str = "rb", **ignored: object) -> Any:
        """The file, to be read."""
        return self._opened()

    def size(self, path: str) -> int:
        """Its size."""
        return self._size

    def modified(self, path: str) -> dt.datetime:
        """It never was."""
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
