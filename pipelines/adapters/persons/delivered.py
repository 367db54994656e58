"""A person-level file as delivered, in whatever form: a relation of the contract's columns as text.

sealed frames -> text -> whole lines -> DuckDB             (delimited text, plain or compressed)
sealed file -> DuckDB                                      (Parquet)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import duckdb

from pipelines.adapters import warehouse
from pipelines.adapters.persons import layouts, opening
from pipelines.adapters.persons.lines import Lines, Stream
from pipelines.adapters.persons.reading import Terms
from pipelines.adapters.persons.sealed_source import ADDRESS, Original, Stopped, reader
from pipelines.adapters.sealing import Unsealed
from pipelines.domain.persons.declaration import Records
from pipelines.domain.refusals import Refused, refuse
from pipelines.settings import Settings

BUFFER = 8 << 20
NATIVE = {
    "date": ("DATE",),
    "time": ("TIME",),
    "integer": ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
}
# Nobody knows how long a text is before it is unpacked and cleaned; DuckDB reads to the end whatever it is told.
UNKNOWN_SIZE = 1 << 40

T = TypeVar("T")


@dataclass(frozen=True)
class Delivered:
    """A file while it is open: `texts` selects the contract's columns as text, on `connection`.

    Columns that are no part of the contract are selected too, under the aliases that `unwanted` maps to their names:
    they may hold nothing, else `refusal` of the names of those that do.
    """

    connection: duckdb.DuckDBPyConnection
    texts: str
    unwanted: dict[str, str]
    refusal: Callable[[list[str]], Refused]
    layout: str


class _Unreadable(Exception):
    """DuckDB and we disagree about where records end: every record is to be looked at."""


def read(
    settings: Settings, records: Records, original: Original, terms: Terms, use: Callable[[Delivered], T]
) -> tuple[T, int]:
    """What `use` makes of a file, and how many of its lines are no records; `use` may have to begin again, once.

    Raises `Refused` when the file as a whole is not what the feed promises.
    """
    with original.opened() as file:
        is_parquet = opening.is_parquet(file.read(opening.CHUNK))
    attempt = _Attempt(settings, records, terms, use)
    if is_parquet:
        return attempt.parquet(original.opened), 0
    try:
        return attempt.delimited(original.frames(), exact=False)
    except _Unreadable:
        return attempt.delimited(original.frames(), exact=True)


@dataclass(frozen=True)
class _Attempt(Generic[T]):
    settings: Settings
    records: Records
    terms: Terms
    use: Callable[[Delivered], T]

    def delimited(self, frames: Iterator[bytes], exact: bool) -> tuple[T, int]:
        """Delimited text, plain or compressed."""
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
        with reader(self.settings, lambda: stream, UNKNOWN_SIZE) as connection:
            try:
                made = self.use(Delivered(connection, select, extra, opening.undeclared, layout))
            except Stopped as stopped:
                if stream.trouble is not None:
                    raise stream.trouble from None
                if stopped.is_of_the_file and not exact:
                    raise _Unreadable from None
                raise stopped.told() from None
        return made, lines.unparsable

    def parquet(self, opened: Callable[[], Unsealed]) -> T:
        """Parquet, whose columns are text or have the type that the declaration says."""
        with opened() as file:
            size = file.size
        with reader(self.settings, opened, size) as connection:
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
                return self.use(Delivered(connection, select, further, refusal, layout))
            except Stopped as stopped:
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


def _column(number: int) -> str:
    return f"column_{number}"
