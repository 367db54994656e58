"""The one place that opens DuckDB (dbt opens it through `dbt_plugin`, which calls here).

Everything this project writes with DuckDB is encrypted, spill included, but for the public tier of a release.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import polars as pl

from pipelines.adapters.files import lock, sync_folder
from pipelines.adapters.keys import Key, KeyStore
from pipelines.settings import Settings, memory, threads

BUILD = "build"
INTERNAL = "internal"
PARQUET_KEY = "store"
NEXT_KEY = "next"
# Entries of a Parquet dictionary: organisation codes fit, and identifiers give up early.
LARGEST_DICTIONARY = 10_000
CONFIG = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_file_encryption": True,
    "preserve_insertion_order": True,
}


def crypto_extension() -> str:
    """Path of the OpenSSL crypto module, shipped in a wheel: DuckDB writes encrypted files with it, offline."""
    name = "httpfs"
    distribution = importlib.metadata.distribution(f"duckdb-extension-{name}")
    return str(
        distribution.locate_file(f"duckdb_extension_{name}/extensions/v{duckdb.__version__}/{name}.duckdb_extension")
    )


def quoted(text: str | Path) -> str:
    """A SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def named(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def prepare(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Give a connection the crypto module, our temp folder, its share of the machine and the Parquet key."""
    settings.temporary.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection.load_extension(crypto_extension())
    connection.execute(f"SET temp_directory = {quoted(settings.temporary)}")
    _allow(connection, settings)


def _allow(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    limit(connection)
    connection.execute(f"PRAGMA add_parquet_key('{PARQUET_KEY}', {quoted(derived_key(settings).text)})")
    name_zones(connection, settings)


def name_zones(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Tell a connection, or a cursor of one, where dbt's sources lie: the project itself names no store."""
    for zone in (settings.accepted, settings.operations):
        connection.execute(f"SET VARIABLE {zone.name} = {quoted(zone)}")


def limit(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection its share of the machine: what is beyond it is spilled."""
    connection.execute(f"SET memory_limit = '{memory()}B'")
    connection.execute(f"SET threads = {threads()}")
    # To what looks interactive (`python -c`) DuckDB shows its progress on standard output, amid the rows of an answer.
    connection.execute("SET enable_progress_bar = false")


def derived_key(settings: Settings) -> Key:
    """The key of the accepted rows and the build; raises `KeyMissing` when they exist and it does not."""
    in_use = settings.build.exists() or any(settings.accepted.glob("*/*.parquet"))
    return KeyStore(settings).derived(settings.generation, in_use)


def internal_key(settings: Settings) -> Key:
    """The key of the internal tier; raises `KeyMissing` when its marts are built and the key is gone."""
    return KeyStore(settings).internal_tier(settings.generation, settings.internal_build.exists())


def attach(connection: duckdb.DuckDBPyConnection, path: Path, alias: str, key: Key, read_only: bool = False) -> None:
    """Attach an encrypted database file, made on first use unless read-only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = ", READ_ONLY" if read_only else ""
    connection.execute(f"ATTACH IF NOT EXISTS {quoted(path)} AS {alias} (ENCRYPTION_KEY {quoted(key.text)}{mode})")


@contextlib.contextmanager
def connect(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory connection that can read and write the store's encrypted files."""
    connection = duckdb.connect(config=CONFIG)
    try:
        prepare(connection, settings)
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def shared(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same for small work: of one database in memory that this process keeps, nothing of which outlives the block.

    To load the crypto module costs an eighth of a second each time, and a refresh reads and writes many small files.
    """
    connection = _kept(settings).cursor()
    try:
        _allow(connection, settings)
        yield connection
    finally:
        connection.close()


# By process and store: what was opened before a fork is not for the child.
_KEPT: dict[tuple[int, Settings], duckdb.DuckDBPyConnection] = {}


def _kept(settings: Settings) -> duckdb.DuckDBPyConnection:
    process = os.getpid()
    if (process, settings) not in _KEPT:
        for other in [key for key in _KEPT if key[0] == process]:
            _KEPT.pop(other).close()
        # A file that was replaced is read again.
        connection = duckdb.connect(config={**CONFIG, "enable_external_file_cache": False})
        prepare(connection, settings)
        _KEPT[process, settings] = connection
    return _KEPT[process, settings]


def attach_build(connection: duckdb.DuckDBPyConnection, settings: Settings, read_only: bool = False) -> None:
    """Attach both databases that dbt writes: `build`, and `internal` with the marts of person-level feeds.

    A transaction writes to one of them only: DuckDB refuses both.
    """
    attach(connection, settings.build, BUILD, derived_key(settings), read_only)
    key = internal_key(settings)
    # A read-only connection makes no file: what was never built is attached as an empty database in memory.
    if read_only and not settings.internal_build.exists():
        connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {INTERNAL}")
    else:
        attach(connection, settings.internal_build, INTERNAL, key, read_only)


@contextlib.contextmanager
def build(settings: Settings, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the databases that dbt writes attached; waits for whoever has them open."""
    with lock(settings.locks / BUILD), connect(settings) as connection:
        attach_build(connection, settings, read_only)
        yield connection


def write_rows(connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame, path: Path) -> None:
    """Write a frame as encrypted Parquet at `path`, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    connection.register("frame_to_write", frame)
    try:
        connection.execute(
            f"COPY frame_to_write TO {quoted(temporary)} "
            f"(FORMAT parquet, COMPRESSION zstd, ENCRYPTION_CONFIG {{footer_key: '{PARQUET_KEY}'}})"
        )
    finally:
        connection.unregister("frame_to_write")
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def read_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> pl.DataFrame:
    """The rows of an encrypted Parquet file."""
    return connection.execute(
        f"SELECT * FROM read_parquet({quoted(path)}, encryption_config = {{footer_key: '{PARQUET_KEY}'}})"
    ).pl()


def accepted_file(path: Path) -> str:
    """The SQL of an encrypted Parquet file as a table."""
    return f"read_parquet({quoted(path)}, encryption_config = {{footer_key: '{PARQUET_KEY}'}})"


def write_select(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> int:
    """Write what a query gives as encrypted Parquet, streaming, and return the number of rows; `place` names the file.

    zstd at level 1: level 3 costs more time than the smaller file saves.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    [rows] = connection.execute(
        f"COPY ({select}) TO {quoted(path)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
        f"DICTIONARY_SIZE_LIMIT {LARGEST_DICTIONARY}, ENCRYPTION_CONFIG {{footer_key: '{PARQUET_KEY}'}})"
    ).fetchone() or (0,)
    return int(rows)


def encrypt_anew(old: Settings, new: Settings, files: Iterable[Path]) -> None:
    """Write accepted files of one generation under the key of another, in the order of their rows."""
    with connect(old) as connection:
        key = derived_key(new).text
        connection.execute(f"PRAGMA add_parquet_key('{NEXT_KEY}', {quoted(key)})")
        for file in files:
            target = new.accepted / file
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            connection.execute(
                f"COPY (FROM {accepted_file(old.accepted / file)}) TO {quoted(target)} (FORMAT parquet, "
                f"COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT {LARGEST_DICTIONARY}, "
                f"ENCRYPTION_CONFIG {{footer_key: '{NEXT_KEY}'}})"
            )


def place(written: Path, path: Path) -> None:
    """Give a file that was written its name, in one step, flushed to disk first."""
    with written.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(written, path)
    sync_folder(path.parent)
