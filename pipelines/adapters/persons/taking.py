"""Taking a person-level file in: sealed bytes to accepted rows, in one streaming pass.

    sealed frames -> text -> whole lines -> DuckDB: types, codes, clocks, reasons -> keyed hash -> encrypted Parquet

Nothing of it is written in the clear. Rejected rows are counted by reason and gone; the sealed original keeps them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import re
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import fsspec
import polars as pl
import pyarrow as pa

from pipelines.adapters import warehouse
from pipelines.adapters.keys import Key
from pipelines.adapters.persons import layouts, opening, reading
from pipelines.adapters.persons.lines import Lines, Stream
from pipelines.adapters.persons.pseudonyms import keyed, uuids
from pipelines.adapters.persons.repeats import Repeats
from pipelines.adapters.sealing import Unsealed
from pipelines.domain.feeds import Feed
from pipelines.domain.persons.declaration import PREFIX, Records
from pipelines.domain.persons.rejecting import CONFLICTING, REASONS, UNPARSABLE
from pipelines.domain.refusals import Refused, refuse
from pipelines.settings import Settings

BATCH_ROWS = 122_880
BUFFER = 8 << 20
PROTOCOL = "sealed"
ADDRESS = f"{PROTOCOL}://file"
HASHED = {"record_text": "record_key", "person_text": "person_pseudonym", "spell_text": "spell_key"}

NATIVE = {
    "date": ("DATE",),
    "time": ("TIME",),
    "integer": ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
}
# Nobody knows how long a text is before it is unpacked and cleaned; DuckDB reads to the end whatever it is told.
UNKNOWN_SIZE = 1 << 40


@dataclass(frozen=True)
class Taken:
    """What became of a file's rows: how many were accepted, how many rejected and why, and on which days submitted."""

    layout: str
    accepted: int
    rejected: dict[str, int]
    first_submission: dt.date | None
    last_submission: dt.date | None

    @property
    def rows(self) -> int:
        """All rows of the file."""
        return self.accepted + sum(self.rejected.values())


class Original(Protocol):
    """The sealed bytes of a file, read from the start or anywhere, as often as needed."""

    def frames(self) -> Iterator[bytes]:
        """The bytes from the start."""

    def opened(self) -> Unsealed:
        """The bytes as a file."""


class _Unreadable(Exception):
    """DuckDB and we disagree about where records end: every record is to be looked at."""


def take(
    settings: Settings, feed: Feed, original: Original, sha256: str, key: Key, terms: reading.Terms, target: Path
) -> Taken:
    """Read a file from its sealed bytes and write its accepted rows to `target`, encrypted.

    Raises `Refused` when the file as a whole is not what the feed promises.
    """
    if feed.records is None:
        raise ValueError(f"feed {feed.feed} is not of persons")
    attempt = _Attempt(settings, feed, feed.records, sha256, key, terms, target)
    with original.opened() as file:
        is_parquet = opening.is_parquet(file.read(opening.CHUNK))
    if is_parquet:
        return attempt.parquet(original.opened)
    try:
        return attempt.delimited(original.frames(), exact=False)
    except _Unreadable:
        return attempt.delimited(original.frames(), exact=True)


def identifiers(
    settings: Settings, feed: Feed, original: Original, key: Key, terms: reading.Terms, wanted: set[str]
) -> dict[str, str]:
    """The records' own numbers as sent, by record key, of the `wanted` ones that the file has. They stay in memory."""
    if feed.records is None:
        raise ValueError(f"feed {feed.feed} is not of persons")
    attempt = _Identifiers(settings, feed, feed.records, "", key, terms, Path())
    attempt.wanted = wanted
    with original.opened() as file:
        is_parquet = opening.is_parquet(file.read(opening.CHUNK))
    if is_parquet:
        attempt.parquet(original.opened)
        return attempt.found
    try:
        attempt.delimited(original.frames(), exact=False)
    except _Unreadable:
        attempt.delimited(original.frames(), exact=True)
    return attempt.found


def write_none(connection: duckdb.DuckDBPyConnection, records: Records, path: Path) -> None:
    """Write accepted rows without a row, so that the feed's folder can be read before anything was received."""
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in records.accepted_schema().items())
    written = path.with_name(f".{path.name}.none")
    warehouse.write_select(connection, f"SELECT {columns} LIMIT 0", written)
    warehouse.place(written, path)


class _Attempt:
    def __init__(
        self,
        settings: Settings,
        feed: Feed,
        records: Records,
        sha256: str,
        key: Key,
        terms: reading.Terms,
        target: Path,
    ) -> None:
        self.settings, self.feed, self.records = settings, feed, records
        self.sha256, self.key, self.terms, self.target = sha256, key, terms, target
        self.rejected: Counter[str] = Counter()

    def delimited(self, frames: Iterator[bytes], exact: bool) -> Taken:
        """Read delimited text, plain or compressed."""
        self.rejected.clear()
        first = next(frames, b"")
        header, body = opening.header(opening.text(frames, first), self.records)
        lines = Lines(body, len(header.columns), exact)
        stream = Stream(lines)
        columns = ", ".join(f"'{_column(number)}': 'VARCHAR'" for number in range(len(header.columns)))
        used = {name: _column(number) for number, name in enumerate(header.columns) if name in header.used}
        extra = {_column(n): name for n, name in enumerate(header.columns) if name in header.extra}
        source = (
            f"read_csv('{ADDRESS}', delim=',', quote='\"', escape='\"', header=false, "
            f"auto_detect=false, columns={{{columns}}}, strict_mode=true, new_line='\\n', "
            f"max_line_size={4 * BUFFER // 16}, buffer_size={BUFFER})"
        )
        select = self._texts(header, used, {column: column for column in extra}, source)
        layout = header.layout.name if header.layout else "csv"
        with self._reader(lambda: stream, UNKNOWN_SIZE) as connection:
            try:
                taken = self._through(connection, select, extra, opening.undeclared, layout)
            except _Stopped as stopped:
                if stream.trouble is not None:
                    raise stream.trouble from None
                if stopped.is_of_the_file and not exact:
                    raise _Unreadable from None
                raise stopped.told() from None
        if lines.unparsable:
            taken.rejected[UNPARSABLE] = lines.unparsable
        return taken

    def parquet(self, opened: Callable[[], Unsealed]) -> Taken:
        """Read Parquet, whose columns are text or have the type that the declaration says."""
        with opened() as file:
            size = file.size
        with self._reader(opened, size) as connection:
            source = f"read_parquet('{ADDRESS}')"
            try:
                described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            except duckdb.Error:
                raise refuse("the Parquet file is damaged or cut short: send it again") from None
            types = {name: kind for name, kind, *_ in described}
            header = opening.checked(list(types), self.records)
            kinds = self._kinds(header)
            used, mistyped = {}, []
            for column in header.used:
                name, kind = warehouse.named(column), types[column]
                if kind == "VARCHAR" or kind.startswith("ENUM"):
                    used[column] = f"nullif(trim(CAST({name} AS VARCHAR), ' '), '')"
                elif kind in NATIVE.get(kinds.get(column, "text"), ()):
                    written = f"CAST({name} AS VARCHAR)"
                    used[column] = f"left({written}, 8)" if kind == "TIME" else written
                else:  # a column without a value has whatever type its writer chose
                    used[column] = "CAST(NULL AS VARCHAR)"
                    mistyped.append(column)
            further = {f"other_{n}": name for n, name in enumerate([*header.extra, *mistyped])}
            extra = {alias: warehouse.named(name) for alias, name in further.items()}
            select = self._texts(header, used, extra, source)
            layout = header.layout.name if header.layout else "parquet"

            def refusal(held: list[str]) -> Refused:
                if wrong := [name for name in held if name in mistyped]:
                    return opening.mistyped(wrong)
                return opening.undeclared(held)

            try:
                return self._through(connection, select, further, refusal, layout)
            except _Stopped as stopped:
                raise stopped.told() from None

    def _texts(self, header: opening.Header, used: dict[str, str], extra: dict[str, str], source: str) -> str:
        """The select of the contract's columns as text over a relation, and of the `extra` ones under their aliases.

        `used` are expressions by name in the file, `extra` by alias.
        """
        if header.layout:
            held = {name.upper(): expression for name, expression in used.items()}
            return layouts.statement(header.layout, self.records, source, held, extra, self.terms.received_on)
        columns = ", ".join(f"{expression} AS {name}" for name, expression in (used | extra).items())
        return f"SELECT {columns} FROM {source}"

    def _kinds(self, header: opening.Header) -> dict[str, str]:
        """What type a column of the file may have when it is not text."""
        if header.layout is None:
            return {column.name: column.type for column in self.records.columns}
        of = {name: told.reading for told in header.layout.columns.values() for name in told.of}
        return {name: "date" for name in header.used if of.get(name.upper()) == "date"}

    @contextlib.contextmanager
    def _reader(self, opened: Callable[[], Any], size: int) -> Iterator[duckdb.DuckDBPyConnection]:
        with warehouse.connect(self.settings) as connection:
            connection.register_filesystem(_Sealed(opened, size))
            connection.execute("SET preserve_insertion_order = false")
            connection.execute("SET produce_arrow_string_view = true")
            for statement in reading.setup():
                connection.execute(statement)
            yield connection

    def _through(
        self,
        connection: duckdb.DuckDBPyConnection,
        texts: str,
        unwanted: dict[str, str],
        refusal: Callable[[list[str]], Refused],
        layout: str,
    ) -> Taken:
        """The reading, the hashing and the writing. `unwanted` columns of `texts` may hold nothing, else `refusal`."""
        sql = reading.statement(self.feed, texts, self.terms, unwanted)
        try:
            source = connection.execute(sql).to_arrow_reader(BATCH_ROWS)
        except duckdb.Error as error:
            raise _Stopped(error) from None
        repeats, copies = Repeats(), list[pa.Table]()
        trouble: list[BaseException] = []

        def batches() -> Iterator[pa.RecordBatch]:
            try:
                for batch in _read(source):
                    frame = pl.DataFrame(pl.from_arrow(batch))
                    if held := [name for n, name in enumerate(unwanted.values()) if frame[f"extra_{n}"].any()]:
                        raise refusal(held)
                    for new in repeats.new(self._hashed(self._not_rejected(frame))):
                        yield from _arrow(new).to_batches()
                for new in repeats.waiting():
                    yield from _arrow(new).to_batches()
                rest = repeats.rest()
                if rest.conflicting:
                    self.rejected[CONFLICTING] += rest.conflicting
                if rest.undecided is not None:
                    copies.append(_arrow(rest.undecided))
                if rest.new is not None:
                    yield from _arrow(rest.new).to_batches()
            except BaseException as error:
                trouble.append(error)
                raise

        empty = pl.DataFrame(pl.from_arrow(source.schema.empty_table()))
        accepted = pa.RecordBatchReader.from_batches(_arrow(self._hashed(empty)).schema, batches())
        with connection.cursor() as writer:
            writer.register("hashed", accepted)
            try:
                warehouse.write_select(writer, self._rows(), self.target)
                if copies:
                    self._settle(writer, copies[0])
            except duckdb.Error as error:
                raise trouble[0] if trouble else _Stopped(error).told() from None
            finally:
                writer.unregister("hashed")
            rows, first, last = writer.execute(
                "SELECT count(*), min(submission_date), max(submission_date) "
                f"FROM {warehouse.accepted_file(self.target)}"
            ).fetchall()[0]
        return Taken(layout, rows, dict(self.rejected), first, last)

    def _not_rejected(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows to which no reason applies; the others are counted."""
        reasons = frame["reason"]
        if reasons.null_count() == frame.height:
            return frame
        for position, count in reasons.drop_nulls().value_counts().iter_rows():
            self.rejected[REASONS[position - 1]] += count
        return frame.filter(pl.col("reason").is_null())

    def _hashed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Pseudonyms in the place of texts; of a deletion only its version and its key, the rest was not looked at."""
        hashed = [keyed(text, self.key).alias(name) for text, name in HASHED.items() if text in frame.columns]
        gone = [name for name in frame.columns if name == "reason" or name.startswith("extra_") or name in HASHED]
        made = frame.with_columns(hashed).drop(gone)
        if not made["is_deletion"].any():
            return made
        others = [name for name in made.columns if name not in PREFIX and name not in self._key_columns]
        nothing = [pl.lit(None, made.schema[name]).alias(name) for name in others]
        is_kept = ~pl.col("is_deletion")
        return pl.concat([made.filter(is_kept), made.filter(~is_kept).with_columns(nothing)], rechunk=True)

    @property
    def _key_columns(self) -> frozenset[str]:
        """What is kept of the key's columns, in their own names."""
        return frozenset(
            {*self.records.key, *(["person_pseudonym"] if self.records.own_number == "nhs_number" else [])}
        )

    def _rows(self) -> str:
        columns = []
        for name, kind in self.records.accepted_schema().items():
            if name == "batch":
                columns.append(f"'{self.sha256}' AS batch")
            else:
                columns.append(f"CAST({name} AS {kind}) AS {name}")
        return f"SELECT {', '.join(columns)} FROM hashed"

    def _settle(self, connection: duckdb.DuckDBPyConnection, copies: pa.Table) -> None:
        """Keep one of the equal copies of a row; reject all rows of a version whose rows differ.

        `copies` are rows that were not written since their version was seen before.
        """
        version = "record_key, record_version, submission_date, is_deletion"
        rows = warehouse.accepted_file(self.target)
        connection.register("hashed", copies)
        connection.execute(f"CREATE TEMP TABLE copies AS {self._rows()}")
        connection.unregister("hashed")
        connection.execute(
            "CREATE TEMP TABLE contents AS SELECT * EXCLUDE (is_written), count(*) AS times, "
            "count(*) FILTER (is_written) AS times_written FROM ("
            f"SELECT *, true AS is_written FROM {rows} SEMI JOIN copies USING ({version}) "
            "UNION ALL BY NAME SELECT *, false AS is_written FROM copies) GROUP BY ALL"
        )
        connection.execute(
            f"CREATE TEMP TABLE versions AS SELECT {version}, count(*) AS contents, sum(times)::BIGINT AS rows, "
            f"sum(times_written)::BIGINT AS written FROM contents GROUP BY ALL"
        )
        conflicting, unsettled = connection.execute(
            "SELECT coalesce(sum(rows) FILTER (contents > 1), 0)::BIGINT, "
            "count(*) FILTER (contents > 1 OR written = 0) FROM versions"
        ).fetchall()[0]
        if not unsettled:
            return
        if conflicting:
            self.rejected[CONFLICTING] += conflicting
        settled = self.target.with_name(f"{self.target.name}.settled")
        warehouse.write_select(
            connection,
            f"SELECT * FROM {rows} ANTI JOIN versions USING ({version}) UNION ALL BY NAME "
            "SELECT * EXCLUDE (times, times_written) FROM contents SEMI JOIN "
            f"(SELECT * FROM versions WHERE contents = 1) USING ({version})",
            settled,
        )
        settled.replace(self.target)


class _Identifiers(_Attempt):
    """Reads a file as ever, and keeps nothing of it but the own numbers of the records that are `wanted`."""

    wanted: set[str]

    def _through(
        self,
        connection: duckdb.DuckDBPyConnection,
        texts: str,
        unwanted: dict[str, str],
        refusal: Callable[[list[str]], Refused],
        layout: str,
    ) -> Taken:
        self.found: dict[str, str] = {}
        wanted = pl.Series([key.replace("-", "") for key in self.wanted], dtype=pl.String)
        sql = reading.statement(self.feed, texts, self.terms)
        try:
            source = connection.execute(f"SELECT record_text FROM ({sql}) WHERE reason IS NULL").to_arrow_reader(
                BATCH_ROWS
            )
        except duckdb.Error as error:
            raise _Stopped(error) from None
        for batch in _read(source):
            rows = pl.DataFrame(pl.from_arrow(batch)).with_columns(keyed("record_text", self.key).alias("key"))
            for text, key in rows.filter(pl.col("key").is_in(wanted.implode())).iter_rows():
                self.found[str(uuid.UUID(key))] = text.rpartition(reading.SEPARATOR_TEXT)[2]
        return Taken(layout, 0, {}, None, None)


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


class _Stopped(Exception):
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


def _read(source: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = source.read_next_batch()
        except StopIteration:
            return
        except (OSError, pa.ArrowException, duckdb.Error) as error:
            raise _Stopped(error) from None
        yield batch


def _arrow(rows: pl.DataFrame) -> pa.Table:
    """Rows as DuckDB takes them, their pseudonyms as UUIDs."""
    rows = rows.rechunk()
    table = rows.to_arrow(compat_level=pl.CompatLevel.newest())
    for name in HASHED.values():
        if name in rows.columns:
            table = table.set_column(table.column_names.index(name), name, uuids(rows[name]))
    return table


def _column(number: int) -> str:
    return f"column_{number}"
