"""From the contract's columns as text to accepted rows, in one streaming pass.

    DuckDB: types, codes, clocks, reasons -> keyed hash -> repeated versions -> encrypted Parquet

Rejected rows are counted by reason and gone; the sealed original keeps them.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from pipelines.adapters import warehouse
from pipelines.adapters.keys import Key
from pipelines.adapters.persons import reading, sealed_source
from pipelines.adapters.persons.delivered import Delivered
from pipelines.adapters.persons.pseudonyms import keyed, uuids
from pipelines.adapters.persons.repeats import Repeats
from pipelines.adapters.persons.sealed_source import Stopped
from pipelines.domain.feeds import Feed
from pipelines.domain.persons.declaration import PREFIX, Records
from pipelines.domain.persons.rejecting import CONFLICTING, REASONS

HASHED = {"record_text": "record_key", "person_text": "person_pseudonym", "spell_text": "spell_key"}


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


def write_none(connection: duckdb.DuckDBPyConnection, records: Records, path: Path) -> None:
    """Write accepted rows without a row, so that the feed's folder can be read before anything was received."""
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in records.accepted_schema().items())
    written = path.with_name(f".{path.name}.none")
    warehouse.write_select(connection, f"SELECT {columns} LIMIT 0", written)
    warehouse.place(written, path)


class Accepting:
    """One file on its way to `target`."""

    def __init__(self, feed: Feed, records: Records, sha256: str, key: Key, terms: reading.Terms, target: Path) -> None:
        self.feed, self.records = feed, records
        self.sha256, self.key, self.terms, self.target = sha256, key, terms, target
        self.rejected: Counter[str] = Counter()

    def take(self, file: Delivered) -> Taken:
        """Read, hash and write it. Raises `Stopped`, and the file's refusal of columns that nobody declared."""
        sql = reading.statement(self.feed, file.texts, self.terms, file.unwanted)
        source = sealed_source.batches(file.connection, sql)
        repeats, copies = Repeats(), list[pa.Table]()
        trouble: list[BaseException] = []

        def batches() -> Iterator[pa.RecordBatch]:
            try:
                for batch in sealed_source.each(source):
                    frame = pl.DataFrame(pl.from_arrow(batch))
                    if held := [name for n, name in enumerate(file.unwanted.values()) if frame[f"extra_{n}"].any()]:
                        raise file.refusal(held)
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
        with file.connection.cursor() as writer:
            writer.register("hashed", accepted)
            try:
                warehouse.write_select(writer, self._rows(), self.target)
                if copies:
                    self._settle(writer, copies[0])
            except duckdb.Error as error:
                raise trouble[0] if trouble else Stopped(error).told() from None
            finally:
                writer.unregister("hashed")
            rows, first, last = writer.execute(
                "SELECT count(*), min(submission_date), max(submission_date) "
                f"FROM {warehouse.accepted_file(self.target)}"
            ).fetchall()[0]
        return Taken(file.layout, rows, dict(self.rejected), first, last)

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


def _arrow(rows: pl.DataFrame) -> pa.Table:
    """Rows as DuckDB takes them, their pseudonyms as UUIDs."""
    rows = rows.rechunk()
    table = rows.to_arrow(compat_level=pl.CompatLevel.newest())
    for name in HASHED.values():
        if name in rows.columns:
            table = table.set_column(table.column_names.index(name), name, uuids(rows[name]))
    return table
