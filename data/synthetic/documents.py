"""Tables as publications lay them out, and delimited files of them; a fault edits a table, not bytes."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass, field, replace
from typing import Protocol

Cell = str | int | float | dt.date | None
Figure = int | float | None


@dataclass
class TotalRow:
    """A published total: the cells that name it, and which rows it adds (those of `group`, or all)."""

    label: list[str]
    group: str | None = None
    values: list[Figure] = field(default_factory=list)


@dataclass
class Table:
    """A header, rows and published totals; `key`, `group` and `figures_from` are column indexes.

    `columns` names each column once; `labels` is what is printed where names repeat. `wholes` are columns that are
    the sum of others, by their indexes.
    """

    columns: list[Cell]
    rows: list[list[Cell]]
    key: int = 0
    figures_from: int | None = None
    group: int | None = None
    totals: list[TotalRow] = field(default_factory=list)
    wholes: dict[int, tuple[int, ...]] = field(default_factory=dict)
    labels: dict[Cell, Cell] = field(default_factory=dict)

    def copy(self) -> Table:
        """A table that can be edited without touching this one."""
        return replace(
            self,
            columns=list(self.columns),
            rows=[list(row) for row in self.rows],
            totals=[replace(total, values=list(total.values)) for total in self.totals],
        )

    def recalculate_wholes(self) -> None:
        """Make every whole the sum of its parts, row by row; a row without a part has no whole."""
        for row in self.rows:
            for whole, parts in self.wholes.items():
                held = [cell for cell in (row[part] for part in parts) if isinstance(cell, int | float)]
                row[whole] = _whole(sum(held)) if held else None

    def recalculate_totals(self) -> None:
        """Make every total the sum of its rows, empty cells left out."""
        if self.figures_from is None:
            return
        for total in self.totals:
            columns: list[list[int | float]] = [[] for _ in self.columns[self.figures_from :]]
            for row in self.rows:
                if total.group is None or row[self.group or 0] == total.group:
                    for held, cell in zip(columns, row[self.figures_from :], strict=True):
                        if isinstance(cell, int | float):
                            held.append(cell)
            total.values = [_whole(sum(held)) for held in columns]


class Document(Protocol):
    """A file that a supplier would send."""

    feed: str
    name: str

    def tables(self) -> dict[str, Table]:
        """Its tables by name of the sheet; a delimited file has one, named by the empty string."""
        ...

    def copy(self) -> Document:
        """A copy whose tables can be edited."""
        ...

    def render(self) -> bytes:
        """The bytes of the file: the same document always gives the same bytes."""
        ...


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written."""

    delimiter: str = ","
    line_end: str = "\n"
    encoding: str = "utf-8"
    quotes_all: bool = False
    has_header: bool = True
    ends_with_line_end: bool = True


@dataclass
class DelimitedFile:
    """A delimited file: header, rows, totals last."""

    feed: str
    name: str
    table: Table
    dialect: Dialect = Dialect()

    def tables(self) -> dict[str, Table]:
        """The one table, under the empty name."""
        return {"": self.table}

    def copy(self) -> DelimitedFile:
        """A copy whose table can be edited."""
        return replace(self, table=self.table.copy())

    def render(self) -> bytes:
        """The bytes of the file."""
        dialect = self.dialect
        text = io.StringIO(newline="")
        writer = csv.writer(
            text,
            delimiter=dialect.delimiter,
            lineterminator=dialect.line_end,
            quoting=csv.QUOTE_ALL if dialect.quotes_all else csv.QUOTE_MINIMAL,
        )
        if dialect.has_header:
            writer.writerow(self.table.columns)
        writer.writerows(self.table.rows)
        writer.writerows([*total.label, *total.values] for total in self.table.totals)
        written = text.getvalue()
        if not dialect.ends_with_line_end:
            written = written.removesuffix(dialect.line_end)
        return written.encode(dialect.encoding)


def _whole(value: int | float) -> int | float:
    """A sum without the noise of adding binary fractions."""
    return int(value) if float(value).is_integer() else round(value, 6)
