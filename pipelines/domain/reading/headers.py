"""The header of a worksheet of figures: where it stands, what each column holds, and what dates it.

The header is the line that names the sheet's key columns. Labels stand on it, and headings or days on the lines above;
or the headings stand on it and the labels below. A heading or a day is a merged cell: the file holds it in the first
cell of its block only, so it is carried to the right up to the next one or to a column without a label.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from pipelines.domain.feeds import Column, Dating, Feed, FigureColumn, SheetOfFigures
from pipelines.domain.reading import periods, preamble, values
from pipelines.domain.reading.cells import Cell, Line, Sheet, fold, is_blank, letter, text
from pipelines.domain.reading.periods import Period
from pipelines.domain.refusals import Reason, Refused, printable, refuse

SEARCHED_FOR_HEADER = 60
LINES_ABOVE = 3
AGE_BANDS = (
    (re.compile(r"under ([0-9]{1,3})"), "under_{}"),
    (re.compile(r"([0-9]{1,3}) ?(?:-|\u2013|to) ?([0-9]{1,3})"), "{}_to_{}"),
    (re.compile(r"([0-9]{1,3}) ?(?:\+|and over)"), "{}_and_over"),
)


@dataclass(frozen=True)
class Held:
    """A column of figures: the measure that it holds, and its period (None: each row says its own)."""

    metric_id: str
    period: Period | None


@dataclass
class Table:
    """A table that was found on a worksheet; where its keys and its figures stand, by 0-based index."""

    sheet: Sheet
    declared: SheetOfFigures
    feed: Feed
    above: Sequence[Line]
    body: Sequence[Line]
    keys: Mapping[str, list[int]]
    columns: dict[int, Held]
    reasons: list[Reason] = field(default_factory=list)
    # What was read otherwise than it stands, or left out: told when the file is received.
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, line: Line | None = None, index: int | None = None) -> None:
        """Record a place that does not fit."""
        column = letter(index) if index is not None else None
        self.reasons.append(Reason(what, self.sheet.name, line.number if line else None, column))

    def key(self, line: Line, role: str) -> Cell:
        """The key of a role: the first column of it that is filled, where a lone hyphen fills nothing."""
        names = [column.name for column in self.feed.columns if column.role == role]
        cells = (cell_of(line, index) for name in names for index in self.keys.get(name, []))
        return next((cell for cell in cells if text(cell) not in ("", "-")), None)

    def keys_of(self, line: Line) -> list[Cell]:
        """The key cells of a line."""
        return [cell_of(line, index) for places in self.keys.values() for index in places]


def cell_of(line: Line, index: int) -> Cell:
    """A cell of a line; None where the line is shorter."""
    return line.cells[index] if index < len(line.cells) else None


def find(sheet: Sheet, keys: Sequence[Column]) -> int | None:
    """Position of the first line that names every key column."""
    for position, line in enumerate(sheet.lines[:SEARCHED_FOR_HEADER]):
        labels = _labels(line)
        if all(labels & _aliases(column) for column in keys):
            return position
    return None


def without_header(sheet: Sheet, declared: SheetOfFigures, keys: Sequence[Column]) -> Refused:
    """The refusal of a sheet that says it holds figures and has no header for them: names what lacks."""
    lines = [_labels(line) for line in sheet.lines[:SEARCHED_FOR_HEADER]]
    nearest = max(lines, key=lambda labels: sum(bool(labels & _aliases(column)) for column in keys), default=set())
    missing = ", ".join(repr(column.aliases[0]) for column in keys if not nearest & _aliases(column))
    return refuse(f"no header for {declared.names[0]}: column {missing} is missing", sheet=sheet.name)


def table(sheet: Sheet, declared: SheetOfFigures, feed: Feed, position: int) -> Table:
    """The table below the header at `position`. Raises `Refused` with every column that does not fit."""
    header = _Header(sheet, declared, feed, position)
    found = header.table
    keys = {index for places in found.keys.values() for index in places}
    for index in range(header.width):
        if index not in keys:
            header.place(index)
    header.complete()
    if found.reasons:
        raise Refused(*found.reasons)
    return found


def age_band(label: str) -> str | None:
    """An age band as metrics name it: `Under 80` is under_80, `70-74` is 70_to_74, `80+` is 80_and_over."""
    for pattern, form in AGE_BANDS:
        if match := pattern.fullmatch(fold(label)):
            return form.format(*match.groups())
    return None


def _labels(line: Line) -> set[str]:
    return {fold(cell) for cell in line.cells if isinstance(cell, str)}


def _aliases(column: Column) -> set[str]:
    return {fold(alias) for alias in column.aliases}


def _day(cell: Cell) -> Period | None:
    if is_blank(cell) or (isinstance(cell, str) and not re.search(r"[0-9]", cell)):
        return None
    try:
        return periods.days(cell)
    except values.NotThis:
        return None


class _Header:
    """Works out, column by column, what a header says."""

    def __init__(self, sheet: Sheet, declared: SheetOfFigures, feed: Feed, position: int) -> None:
        self.declared, self.feed = declared, feed
        self.line = sheet.lines[position]
        self.lines_above = sheet.lines[max(0, position - LINES_ABOVE) : position][::-1]
        self.width = max((len(line.cells) for line in sheet.lines[position:]), default=0)
        headings = {fold(heading) for column in declared.columns for heading in column.headings}
        below = bool(headings & _labels(self.line))
        candidates = [self.line] if below else [line for line in self.lines_above if headings & _labels(line)]
        self.heading_line = next(iter(candidates), None)
        start = position + 1 + below
        self.label_line = sheet.lines[start - 1]
        self.table = Table(sheet, declared, feed, sheet.lines[:position], [], self._keys(), {})
        self.table.body = list(self._rows(sheet.lines[start:]))
        self.found: set[tuple[FigureColumn, Period | None]] = set()

    def _keys(self) -> dict[str, list[int]]:
        """Where each declared column stands on the header."""
        aliases = {alias: column.name for column in self.feed.columns for alias in _aliases(column)}
        keys: dict[str, list[int]] = {}
        for index, cell in enumerate(self.line.cells):
            if isinstance(cell, str) and (name := aliases.get(fold(cell))):
                keys.setdefault(name, []).append(index)
        return keys

    def _rows(self, below: Sequence[Line]) -> Iterator[Line]:
        """The filled lines. One without any key right below the header or its first row is a helper of the workbook."""
        rows = 0
        for line in below:
            keyed = any(not is_blank(cell) for cell in self.table.keys_of(line))
            if keyed or ((rows > 1 or self.declared.rows == "nation") and not all(map(is_blank, line.cells))):
                rows += 1
                yield line

    def place(self, index: int) -> None:
        """Settle what one column is: figures, something no mart needs, or nothing; else a reason."""
        cell, heading = self._label(index), self._headings[index]
        if self.declared.metric_id and (day := _day(cell)):
            self.table.columns[index] = Held(self.declared.metric_id, day)
            return
        column = next((one for one in self.declared.columns if _is(one, cell, heading)), None)
        if column is None:
            self._not_declared(index, text(cell))
            return
        if not column.metric_id:
            return
        band = age_band(text(cell))
        if not column.labels and band not in self.feed.bands:
            self.table.add(f"age band {printable(text(cell))!r} is not in the registry", self.line, index)
            return
        held = Held(column.metric_id.format(band=band), self._period(self._dated_by(column), index))
        self.table.columns[index] = held
        self.found.add((column, held.period))

    def complete(self) -> None:
        """Every key stands in the header once, every declared column under every day (or once), no day twice."""
        for key in self.feed.columns:
            places = self.table.keys.get(key.name, [])
            if len(places) > 1:
                self.table.add(f"column {key.aliases[0]!r} stands twice in the header", self.line, places[1])
            if key.name in self.declared.keys and not places:
                self.table.add(f"column {key.aliases[0]!r} is missing from the header", self.line)
        days = {period for column, period in self.found if period and self._dated_by(column) == "day"}
        for column in self.declared.columns:
            if not column.metric_id or not column.required:
                continue
            label = column.labels[0] if column.labels else f"{column.headings[0]}, an age band"
            if self._dated_by(column) == "day":
                for day in sorted(day for day in days if (column, day) not in self.found):
                    self.table.add(f"column {label!r} is missing under {day[0]}", self.line)
            elif not any(found == column for found, _ in self.found):
                self.table.add(f"column {label!r} is missing from the header", self.line)
        self._no_day_twice()
        if not self.table.columns and not self.table.reasons:
            self.table.add("no column of a day in the header", self.line)

    def _dated_by(self, column: FigureColumn) -> Dating:
        return column.dated_by or self.declared.dated_by

    def _no_day_twice(self) -> None:
        """No two columns hold one measure for one day, be it a day within a range."""
        always = (dt.date.min, dt.date.max)
        places = sorted((held.metric_id, *(held.period or always), index) for index, held in self.table.columns.items())
        for (metric_id, _, last, _), (next_id, first, _, index) in pairwise(places):
            if metric_id == next_id and first <= last:
                label = self._label(index)
                name = printable(text(label)) if isinstance(label, str) else f"{first}"
                self.table.add(f"{name} stands twice in the header", self.line, index)

    def _label(self, index: int) -> Cell:
        label = cell_of(self.label_line, index)
        # A label merged over both lines stands on the upper one.
        return cell_of(self.line, index) if is_blank(label) else label

    @cached_property
    def _headings(self) -> list[str]:
        """The heading over each column, folded; none over a column whose label stands on the line of headings."""
        if self.heading_line is None:
            return [""] * self.width
        return [
            "" if is_blank(cell_of(self.label_line, index)) else fold(text(cell))
            for index, cell in enumerate(self._carried(self.heading_line))
        ]

    def _period(self, dated_by: Dating, index: int) -> Period | None:
        if dated_by == "row":
            return None
        if dated_by == "day":
            return self._day_above(index)
        if dated_by == "last_thursday":
            return periods.last_thursday(self._stated)
        if dated_by == "before_first_day":
            return self._before_first_day
        return self._stated if dated_by == "period" else (self._stated[1], self._stated[1])

    @cached_property
    def _before_first_day(self) -> Period | None:
        first = min((day[0] for cell in self.line.cells if (day := _day(cell))), default=None)
        if first is None:
            self.table.add("no column of a day in the header", self.line)
            return None
        return first - dt.timedelta(days=1), first - dt.timedelta(days=1)

    @cached_property
    def _stated(self) -> Period:
        return preamble.period(self.table.sheet, self.table.above)

    def _day_above(self, index: int) -> Period | None:
        """The day or range above a column; two lines that give days must agree, one within the other."""
        stated = {day for days in self._days if (day := days[index])}
        if not stated:
            self.table.add("no day above the column", self.line, index)
            return None
        first, last = max(stated, key=lambda period: period[1] - period[0])
        if any(start < first or end > last for start, end in stated):
            self.table.add("the lines above the header give it two different days", self.line, index)
        return first, last

    @cached_property
    def _days(self) -> list[list[Period | None]]:
        lines = [[_day(cell) for cell in self._carried(line)] for line in self.lines_above]
        return [days for days in lines if any(days)]

    def _carried(self, line: Line) -> list[Cell]:
        """A line of merged cells, each carried to the right until the next one or a column without a label."""
        carried: list[Cell] = []
        current: Cell = None
        for index in range(self.width):
            cell = cell_of(line, index)
            if not is_blank(cell):
                current = cell
            elif is_blank(cell_of(self.label_line, index)):
                current = None
            carried.append(current)
        return carried

    def _not_declared(self, index: int, label: str) -> None:
        """A column that nothing declares may hold no value.

        Without a label it may hold zeros (the sums of an empty column) and what repeats a key of its line. A cell alone
        in a column right of the whole table is beside it (somebody's hand slipped): it is told, and is no data.
        """
        filled = [
            line
            for line in self.table.body
            if not is_blank(cell := cell_of(line, index))
            and (label or not (cell == 0 or cell in self.table.keys_of(line)))
        ]
        if not filled:
            return
        if len(filled) == 1 < len(self.table.body) and index > self._last_label:
            self.table.notes.append(f"row {filled[0].number}: cells right of the table, no data")
            return
        what = f"column {printable(label)!r} is not declared and has values" if label else "values under no header"
        self.table.add(what, filled[0], index)

    @cached_property
    def _last_label(self) -> int:
        cells = (self.line.cells, self.label_line.cells)
        return max(index for line in cells for index, cell in enumerate(line) if not is_blank(cell))


def _is(column: FigureColumn, cell: Cell, heading: str) -> bool:
    """Whether a label under a heading is what a declared column is known by."""
    if column.headings and heading not in {fold(one) for one in column.headings}:
        return False
    if not column.labels:
        return age_band(text(cell)) is not None
    return isinstance(cell, str) and fold(cell) in {fold(label) for label in column.labels}
