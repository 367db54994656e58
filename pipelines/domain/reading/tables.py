"""Tables with one header row: the header is found by its content, its names go through the feed's aliases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.domain.feeds import Column, Feed, Known, Layout, Reading
from pipelines.domain.reading import values
from pipelines.domain.reading.cells import Cell, Line, Sheet, fold, is_blank, letter, text
from pipelines.domain.reading.delimited import read_delimited
from pipelines.domain.refusals import MOST_LINES, Reason, Refused, printable, refuse

SEARCHED_FOR_HEADER = 40


@dataclass(frozen=True)
class Table:
    """A located table: which declared column stands at which index, the lines below the header, the layout."""

    sheet: str | None
    header_row: int
    columns: Mapping[str, int]
    body: Sequence[Line]
    layout: str
    not_loaded: tuple[str, ...] = ()

    def cell(self, line: Line, column: str) -> Cell:
        """The cell of a line under a declared column; None when the line is shorter or the layout lacks it."""
        index = self.columns.get(column)
        return line.cells[index] if index is not None and index < len(line.cells) else None


class Places:
    """Collects reasons with their places, so that one refusal names every broken cell (up to the printed limit)."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.reasons: list[Reason] = []

    def add(self, what: str, line: Line, column: str | None = None) -> None:
        """One reason at a line and, if given, under a declared column."""
        index = self._table.columns.get(column) if column else None
        place = letter(index) if index is not None else None
        self.reasons.append(Reason(what, self._table.sheet, line.number, place))

    def raise_if_any(self) -> None:
        """Refuse the file when there is any reason."""
        if self.reasons:
            raise Refused(*self.reasons)


def read_rows(content: bytes, feed: Feed, known: Known, file_name: str) -> Reading:
    """Reader of a list (kind `organisations`): one typed row per line, every declared column by its type.

    Raises `Refused` with every cell that is not what its column promises.
    """
    return rows_of(delimited(content, feed), feed, file_name)


def rows_of(sheet: Sheet, feed: Feed, file_name: str, given: Mapping[str, Any] | None = None) -> Reading:
    """The typed rows of one sheet of a list; `given` holds columns that the publication states elsewhere than there.

    Raises `Refused` with every cell that is not what its column promises.
    """
    table = locate(sheet, feed) if feed.has_header else by_position(sheet, feed)
    given = given or {}
    loaded = [column for column in feed.columns if column.use != "ignored" and column.name not in given]
    places = Places(table)
    rows: list[dict[str, Any]] = []
    for line in table.body:
        row: dict[str, Any] = {"source_row": line.number, **given}
        for column in loaded:
            row[column.name] = convert(table.cell(line, column.name), column, line, places)
        rows.append(row)
        if len(places.reasons) > MOST_LINES:
            break
    places.raise_if_any()
    if not rows:
        raise refuse("a header and no rows: ask the supplier to send the file again")
    schema = {name: kind for name, kind in feed.accepted_schema().items() if name != "batch"}
    return Reading(
        rows=pl.DataFrame(rows, schema=schema, orient="row"),
        layout=table.layout,
        published_on=values.revised_in_name(file_name),
        not_loaded=table.not_loaded,
    )


def delimited(content: bytes, feed: Feed) -> Sheet:
    """The feed's delimited file as a grid."""
    return read_delimited(content, delimiter=feed.delimiter, quoted=feed.quoted, encodings=feed.encodings)


def convert(cell: Cell, column: Column, line: Line, places: Places) -> Any:
    """The cell as its column's type; what is wrong goes to `places` and gives None."""
    try:
        value: Any
        if column.type == "date":
            value = values.date(cell, column.formats)
        elif column.type == "code":
            value = values.code(cell, column.pattern or r"[A-Z0-9]+")
        elif column.type in ("integer", "number"):
            value = values.number(cell)
            if column.type == "integer" and value is not None:
                if value != int(value):
                    raise values.NotThis("not a whole number")
                value = int(value)
        else:
            value = values.name(cell)
    except values.NotThis as error:
        places.add(f"{column.name}: {error}", line, column.name)
        return None
    if value is None and not column.may_be_empty:
        places.add(f"{column.name}: empty where a value is due", line, column.name)
    return value


def locate(sheet: Sheet, feed: Feed) -> Table:
    """Find the header row by its content and settle which layout it is.

    The header is the first line that names every key column. Raises `Refused` when there is none, when a
    declared column is missing, stands twice, or an undeclared column has values.
    """
    aliases = {fold(alias): column for column in feed.columns for alias in column.aliases}
    keys = {column.name for column in feed.columns if column.use == "key"}
    best: tuple[int, Line] | None = None
    for position, line in enumerate(sheet.lines[:SEARCHED_FOR_HEADER]):
        found = {aliases[fold(text(cell))].name for cell in line.cells if fold(text(cell)) in aliases}
        if keys <= found:
            return _settled(sheet, feed, line, sheet.lines[position + 1 :], aliases)
        if found and (best is None or len(found) > best[0]):
            best = (len(found), line)
    if best is None:
        names = ", ".join(sorted(column.aliases[0] for column in feed.columns if column.use == "key"))
        raise refuse(f"no header row: none of the first {SEARCHED_FOR_HEADER} lines names {names}", sheet=sheet.name)
    found = {aliases[fold(text(cell))].name for cell in best[1].cells if fold(text(cell)) in aliases}
    raise Refused(
        *(
            Reason(f"column {column.aliases[0]!r} is missing from the header", sheet.name, best[1].number)
            for column in feed.columns
            if column.name in keys - found
        )
    )


def _settled(sheet: Sheet, feed: Feed, header: Line, below: Sequence[Line], aliases: Mapping[str, Column]) -> Table:
    reasons: list[Reason] = []
    columns: dict[str, int] = {}
    not_loaded: list[str] = []
    not_needed = [column.matches for column in feed.columns if column.matches is not None]
    width = max((len(line.cells) for line in [header, *below]), default=0)
    for index in range(width):
        label = text(header.cells[index]) if index < len(header.cells) else ""
        column = aliases.get(fold(label)) if label else None
        if column is None and any(re.fullmatch(pattern, label) for pattern in not_needed):
            continue
        if column is None:
            filled = next((line for line in below if index < len(line.cells) and not is_blank(line.cells[index])), None)
            if filled is not None:
                what = (
                    f"column {printable(label)!r} is not declared for {feed.feed} and has values"
                    if label
                    else "values under no header"
                )
                reasons.append(Reason(what, sheet.name, filled.number, letter(index)))
            elif label:
                not_loaded.append(f"column {printable(label)}: empty")
        elif column.name in columns:
            reasons.append(
                Reason(
                    f"column {printable(label)!r} stands twice in the header",
                    sheet.name,
                    header.number,
                    letter(index),
                )
            )
        else:
            columns[column.name] = index
    layout = _layout(feed, header, columns, reasons, sheet.name)
    if reasons:
        raise Refused(*reasons)
    body = [line for line in below if not all(is_blank(cell) for cell in line.cells)]
    return Table(sheet.name, header.number, columns, body, layout, tuple(not_loaded))


def _layout(feed: Feed, header: Line, columns: Mapping[str, int], reasons: list[Reason], sheet: str | None) -> str:
    labels = {fold(text(cell)) for cell in header.cells}
    if not feed.layouts:
        missing = [c for c in feed.columns if c.required and c.name not in columns]
        reasons.extend(_missing(missing, sheet, header))
        return "only"
    for layout in feed.layouts:
        marked = layout.marked_by is None or fold(layout.marked_by) in labels
        if marked and set(layout.columns) == set(columns):
            return layout.name
    nearest = min(feed.layouts, key=lambda layout: _distance(layout, columns, labels))
    reasons.extend(_missing([c for c in feed.columns if c.name in set(nearest.columns) - set(columns)], sheet, header))
    for extra in sorted(set(columns) - set(nearest.columns)):
        reasons.append(
            Reason(
                f"column {extra} does not belong to layout {nearest.name}",
                sheet,
                header.number,
                letter(columns[extra]),
            )
        )
    return nearest.name


def _distance(layout: Layout, columns: Iterable[str], labels: set[str]) -> tuple[int, bool]:
    unmarked = layout.marked_by is not None and fold(layout.marked_by) not in labels
    return len(set(layout.columns) ^ set(columns)), unmarked


def _missing(columns: Iterable[Column], sheet: str | None, header: Line) -> list[Reason]:
    return [Reason(f"column {c.aliases[0]!r} is missing from the header", sheet, header.number) for c in columns]


def by_position(sheet: Sheet, feed: Feed) -> Table:
    """A list without a header, as ODS publishes it: columns by their documented position, known by their content.

    A line may end early (trailing empty columns are left out in some issues). Raises `Refused` when lines differ in
    length, when a declared position is missing, or a value stands beyond the last declared position.
    """
    columns = {column.name: column.position - 1 for column in feed.columns if column.position is not None}
    last = max(columns.values())
    needed = max(columns[column.name] for column in feed.columns if column.required and column.name in columns)
    body = [line for line in sheet.lines if not all(is_blank(cell) for cell in line.cells)]
    if not body:
        raise refuse("the file has no rows: ask the supplier to send it again")
    reasons = []
    lengths = {len(line.cells) for line in body}
    usual = max(lengths, key=lambda length: sum(len(line.cells) == length for line in body))
    for line in body:
        if len(line.cells) <= needed:
            reasons.append(
                Reason(
                    f"{len(line.cells)} columns where {feed.feed} has at least {needed + 1}",
                    None,
                    line.number,
                )
            )
        elif len(line.cells) != usual:
            reasons.append(Reason(f"{len(line.cells)} columns where the other lines have {usual}", None, line.number))
        for index in range(last + 1, len(line.cells)):
            if not is_blank(line.cells[index]):
                what = f"a value beyond the {last + 1} columns declared for {feed.feed}"
                reasons.append(Reason(what, None, line.number, letter(index)))
    if reasons:
        raise Refused(*reasons)
    return Table(None, 0, columns, body, f"{usual} columns, no header")
