"""Opening what holds rows: DuckDB databases, Parquet and SQLite, plain or under each key that can be had.

Every column of every table is read as text and looked through. Nothing is written but, for a database that is packed in
another file, a private copy that is removed at once.
"""

from __future__ import annotations

import base64
import contextlib
import importlib.metadata
import io
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import duckdb
import pyarrow as pa

from retention_verifier import sealed
from retention_verifier.needles import Sweep
from retention_verifier.places import Content, Looker, Opener
from retention_verifier.verdict import Verdict

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_file_encryption": True,
    "memory_limit": "1GB",
    "threads": 2,
}
# Of more rows the different values are not sorted out first: they might not fit into memory.
MANY_ROWS = 5_000_000
ROWS_AT_ONCE = 200_000
SQLITE_ROWS_AT_ONCE = 500
# What a value is followed by, so that two of them are never read as one.
BETWEEN = "chr(10)"


@dataclass
class Opened:
    """What opened, and the key that did it; "" for what is not encrypted."""

    key: str
    releases: list[str] = field(default_factory=list)


class Stores:
    """A DuckDB connection of our own, which has every key as a Parquet key too."""

    def __init__(self, looker: Looker) -> None:
        self.looker = looker
        self.verdict: Verdict = looker.verdict
        self._keys = [(name, base64.b64encode(secret).decode()) for secret, name in looker.keys.stores()]
        self._connection = duckdb.connect(config=CONFIG)
        self._connection.execute("SET temp_directory = ''")
        with contextlib.suppress(importlib.metadata.PackageNotFoundError, duckdb.Error):
            self._connection.load_extension(_crypto_extension())
        for number, (_, text) in enumerate(self._keys):
            self._connection.execute(f"PRAGMA add_parquet_key('key_{number}', {_quoted(text)})")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def database(self, content: Content) -> Opened | None:
        """Look into a DuckDB database; None when no key opens it."""
        self.verdict.looked_at["databases"] += 1
        with _as_file(content) as path:
            key = self._attach(path, content)
            if key is None:
                return None
            try:
                self._rows_of_database(content)
                return Opened(key, self._current_releases())
            finally:
                self._connection.execute("DETACH looked")

    def parquet(self, content: Content) -> Opened | None:
        """Look into a Parquet file; None when no key opens it."""
        self.verdict.looked_at["tables"] += 1
        with _as_file(content) as path:
            for number, name in [(-1, ""), *((at, name) for at, (name, _) in enumerate(self._keys))]:
                key = f", encryption_config = {{footer_key: 'key_{number}'}}" if number >= 0 else ""
                table = f"read_parquet({_quoted(str(path))}{key})"
                try:
                    columns = self._connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
                except duckdb.Error as error:
                    if _is_wrong_key(error):
                        continue
                    self._not_opened(content, error)
                    return Opened("")
                rows = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                for column in columns:
                    self._column(content, table, str(column[0]), int(rows[0]) if rows else 0, "")
                return Opened(name)
        return None

    def sqlite(self, content: Content) -> None:
        """Look into a SQLite database: Dagster keeps long texts in it that lie across pages."""
        self.verdict.looked_at["databases"] += 1
        sweep = Sweep(self.looker.finder)
        try:
            if content.depth:
                connection = sqlite3.connect(":memory:")
                with content.open() as source:
                    connection.deserialize(source.read())
            else:
                # Immutable: nothing is written beside it. What its log holds is looked at as bytes.
                connection = sqlite3.connect(f"{content.path.resolve().as_uri()}?immutable=1", uri=True)
            connection.text_factory = bytes
            with contextlib.closing(connection):
                tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
                for (name,) in tables:
                    self.verdict.looked_at["tables"] += 1
                    rows = connection.execute(f"SELECT * FROM {_named(name.decode(errors='replace'))}")
                    while some := rows.fetchmany(SQLITE_ROWS_AT_ONCE):
                        sweep.feed(b"\n".join(_bytes_of(value) for row in some for value in row) + b"\n")
        except sqlite3.Error as error:
            self.verdict.fail("unreadable", content.where, f"could not look into it: {type(error).__name__} of SQLite")
        self.looker.swept(sweep, content.where, content)

    def original(self, content: Content) -> tuple[str, str] | None:
        """Open a sealed original: the key's name and the SHA-256 of what is in it; None when no key opens it."""
        for secret, name in sorted(
            self.looker.keys.batches(), key=lambda item: content.path.parent.name not in item[1]
        ):
            try:
                sealed.Unsealed(content.open(), secret).close()
            except sealed.Closed:
                continue

            def opener(secret: bytes = secret) -> io.BufferedReader:
                return io.BufferedReader(sealed.Unsealed(content.open(), secret))

            inner = Content(
                f"{content.where} > sealed", cast(Opener, opener), content.place, content.path, content.depth + 1
            )
            try:
                return name, self.looker.look(inner)
            except sealed.Closed:
                self.verdict.fail("unreadable", content.where, "could not look into it: its sealed bytes were changed")
                return name, ""
        return None

    def _attach(self, path: Path, content: Content) -> str | None:
        for name, text in [("", ""), *self._keys]:
            option = f", ENCRYPTION_KEY {_quoted(text)}" if text else ""
            try:
                self._connection.execute(f"ATTACH {_quoted(str(path))} AS looked (READ_ONLY{option})")
            except duckdb.Error as error:
                if _is_wrong_key(error):
                    continue
                self._not_opened(content, error)
                return None
            return name
        return None

    def _not_opened(self, content: Content, error: duckdb.Error) -> None:
        self.verdict.fail("unreadable", content.where, f"could not look into it: {type(error).__name__} of DuckDB")

    def _rows_of_database(self, content: Content) -> None:
        execute = self._connection.execute
        catalog = Sweep(self.looker.finder)
        for query in (
            "SELECT concat_ws(chr(10), sql, comment) FROM duckdb_tables() WHERE database_name = 'looked'",
            "SELECT concat_ws(chr(10), column_name, comment) FROM duckdb_columns() WHERE database_name = 'looked'",
            "SELECT concat_ws(chr(10), sql, comment) FROM duckdb_views() WHERE database_name = 'looked'",
            "SELECT concat_ws(chr(10), macro_definition, comment) FROM duckdb_functions() "
            "WHERE database_name = 'looked'",
        ):
            for (text,) in execute(query).fetchall():
                catalog.feed(str(text).encode() + b"\n")
        self.looker.swept(catalog, f"{content.where}, what it says of its tables", content)
        tables = execute(
            "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() WHERE database_name = 'looked' "
            "ORDER BY ALL"
        ).fetchall()
        for schema, table, rows in tables:
            self.verdict.looked_at["tables"] += 1
            columns = execute(
                "SELECT column_name FROM duckdb_columns() WHERE database_name = 'looked' "
                "AND schema_name = ? AND table_name = ? ORDER BY column_index",
                [schema, table],
            ).fetchall()
            source = f"looked.{_named(schema)}.{_named(table)}"
            for (column,) in columns:
                self._column(content, source, column, int(rows or 0), f", table {schema}.{table}")

    def _column(self, content: Content, table: str, column: str, rows: int, told: str) -> None:
        sweep = Sweep(self.looker.finder)
        for distinct in ("DISTINCT ", "") if rows <= MANY_ROWS else ("",):
            query = f"SELECT {distinct}CAST({_named(column)} AS VARCHAR) || {BETWEEN} AS value FROM {table}"
            try:
                for batch in self._connection.execute(query).to_arrow_reader(ROWS_AT_ONCE):
                    sweep.feed(_text_of(batch.column(0)))
                break
            except duckdb.Error as error:
                # The different values may be too many for the memory: then all of them are looked at.
                if not distinct or not isinstance(error, duckdb.OutOfMemoryException):
                    self._not_opened(content, error)
                    break
        self.looker.swept(sweep, f"{content.where}{told}, column {column}", content)

    def _current_releases(self) -> list[str]:
        """The release that a database says it is."""
        found: list[str] = []
        tables = self._connection.execute(
            "SELECT schema_name FROM duckdb_columns() WHERE database_name = 'looked' AND table_name = 'release' "
            "AND column_name IN ('release_id', 'is_current') GROUP BY ALL HAVING count(*) = 2"
        ).fetchall()
        for (schema,) in tables:
            rows = self._connection.execute(
                f"SELECT CAST(release_id AS VARCHAR) FROM looked.{_named(schema)}.release "
                "WHERE CAST(is_current AS VARCHAR) = 'true'"
            ).fetchall()
            found += [str(release) for (release,) in rows]
        return found


def _crypto_extension() -> str:
    """OpenSSL for DuckDB, from its wheel: without it encrypted files are read too, more slowly."""
    distribution = importlib.metadata.distribution("duckdb-extension-httpfs")
    return str(
        distribution.locate_file(f"duckdb_extension_httpfs/extensions/v{duckdb.__version__}/httpfs.duckdb_extension")
    )


@contextlib.contextmanager
def _as_file(content: Content) -> Iterator[Path]:
    """The file itself; for what is packed in one, a private copy for as long as it is looked at."""
    if content.depth == 0:
        yield content.path
        return
    with tempfile.TemporaryDirectory(prefix="retention-verifier-") as folder:
        path = Path(folder) / "packed"
        with content.open() as source, path.open("xb") as target:
            shutil.copyfileobj(source, target)
        yield path


def _is_wrong_key(error: duckdb.Error) -> bool:
    text = str(error)
    return any(
        sign in text
        for sign in ("encryption key", "without a key", "AES tag", "is encrypted", "is not encrypted", "not encrypted")
    )


def _text_of(column: pa.Array) -> bytes:
    """The bytes of a column of text, one value after the other."""
    if len(column) == 0 or column.buffers()[2] is None:
        return b""
    offsets = column.buffers()[1]
    wide = pa.types.is_large_string(column.type)
    numbers = memoryview(offsets).cast("q" if wide else "i")
    start, end = numbers[column.offset], numbers[column.offset + len(column)]
    return bytes(memoryview(column.buffers()[2])[start:end])


def _bytes_of(value: object) -> bytes:
    if isinstance(value, bytes):
        # Dagster keeps some of its records compressed.
        if value[:1] == b"\x78":
            with contextlib.suppress(zlib.error):
                return value + b"\n" + zlib.decompress(value)
        if value[:2] == b"\x1f\x8b":
            with contextlib.suppress(zlib.error):
                return value + b"\n" + zlib.decompress(value, wbits=31)
        return value
    return str(value).encode()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
