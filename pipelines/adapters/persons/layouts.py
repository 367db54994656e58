"""The SQL that turns another publication's rows into the contract's columns as text, made from its declared layout."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from pipelines.adapters import warehouse
from pipelines.domain.persons.declaration import Records
from pipelines.domain.persons.layouts import OtherLayout, Parts, Source

ORDER, KEY = "part_order", "part_key"
NONE = "CAST(NULL AS VARCHAR)"


def statement(
    layout: OtherLayout,
    records: Records,
    source: str,
    held: Mapping[str, str],
    extra: Mapping[str, str],
    day: dt.date,
) -> str:
    """A select of every column of the contract as text, and of the `extra` ones, over the relation `source`.

    `held` are the SQL expressions of the publication's columns that the file has, by header text in capitals, `extra`
    those of further columns by alias; `day` is the day of receipt.
    """
    return _Layout(layout, records, held, day).statement(source, extra)


class _Layout:
    def __init__(self, layout: OtherLayout, records: Records, held: Mapping[str, str], day: dt.date) -> None:
        self.layout, self.records, self.held, self.day = layout, records, held, day

    def statement(self, source: str, extra: Mapping[str, str]) -> str:
        columns = {name: self._column(name) for name in self.records.names}
        columns |= extra
        parts = self.layout.parts
        if parts is None:
            return f"SELECT {_named(columns)} FROM {source}"
        columns |= {KEY: self._key(parts), ORDER: self._order(parts)}
        rows = f"SELECT {_named(columns)} FROM {source}"
        made = {name: self._of_parts(name, parts) for name in self.records.names}
        made |= {name: f"any_value({name})" for name in extra}
        return f"SELECT {_named(made)} FROM ({rows}) GROUP BY {KEY}"

    def _column(self, name: str) -> str:
        told = self.layout.columns.get(name)
        if told is None:
            return NONE
        if told.value is not None:
            value = warehouse.quoted(told.value)
            return f"CASE WHEN {self._column(told.beside)} IS NOT NULL THEN {value} END" if told.beside else value
        if told.else_day_of_receipt:
            return f"coalesce({self._read(told)}, '{self.day.isoformat()}')"
        return self._read(told)

    def _read(self, told: Source) -> str:
        if told.reading == "joined":
            return f"nullif(concat_ws('|', {', '.join([NONE, *self._like(told.of)])}), '')"
        values = [self._value(told, self.held[name]) for name in told.of if name in self.held]
        if not values:
            return NONE
        value = f"coalesce({', '.join(values)})"
        match told.reading:
            case "clock":
                return _clock(value)
            case "clock_day":
                date, clock = (self._column(name) for name in told.after or ())
                return (
                    f"CASE WHEN {value} IS NULL THEN NULL WHEN {_clock(value)} < {clock} "
                    f"THEN coalesce(CAST(try_cast({date} AS DATE) + 1 AS VARCHAR), {date}) ELSE {date} END"
                )
            case "month":
                return (
                    f"CASE WHEN regexp_full_match({value}, '[0-9]{{6}}') "
                    f"THEN concat({value}[3:6], '-', {value}[1:2], '-01') ELSE {value} END"
                )
        if told.recoded:
            cases = " ".join(f"WHEN {warehouse.quoted(a)} THEN {warehouse.quoted(b)}" for a, b in told.recoded.items())
            return f"CASE {value} {cases} ELSE {value} END"
        return value

    def _value(self, told: Source, value: str) -> str:
        """What one column of the publication holds; null for what stands for nothing."""
        if told.reading == "date":
            value = f"CASE WHEN regexp_full_match({value}[11:], '[ T][0-9:.Z]+') THEN {value}[1:10] ELSE {value} END"
        if told.earliest:
            value = f"CASE WHEN try_cast({value} AS DATE) < DATE '{told.earliest}' THEN NULL ELSE {value} END"
        if told.not_known:
            texts = ", ".join(warehouse.quoted(text) for text in told.not_known)
            value = f"CASE WHEN {value} IN ({texts}) THEN NULL ELSE {value} END"
        return value

    def _like(self, patterns: tuple[str, ...]) -> list[str]:
        """Columns of the file that are like the first pattern that any of them is like, in the order of their names."""
        for pattern in patterns:
            if names := sorted(name for name in self.held if re.fullmatch(pattern, name)):
                return [self.held[name] for name in names]
        return []

    def _key(self, parts: Parts) -> str:
        whole = " AND ".join(
            f"{self.held.get(name, NONE)} = {warehouse.quoted(text)}"
            for name, text in {parts.order: parts.first, **parts.last}.items()
        )
        alone = f"CASE WHEN {whole} THEN {self.held.get(parts.tie, NONE)} END"
        return f"concat_ws(chr(31), {', '.join([alone, *map(self._same, parts.same)])})"

    def _same(self, names: tuple[str, ...]) -> str:
        """The first of the columns that holds something, with its name, so that two columns are never taken for one."""
        values = [f"'{name}=' || {self.held[name]}" for name in names if name in self.held]
        return f"coalesce({', '.join(values)}, '')" if values else "''"

    def _order(self, parts: Parts) -> str:
        order, tie = (self.held.get(name, NONE) for name in (parts.order, parts.tie))
        return f"concat(lpad(coalesce({order}, '9999'), 4, '0'), lpad(coalesce({tie}, ''), 20, '0'))"

    def _of_parts(self, name: str, parts: Parts) -> str:
        """A column of a record that comes in parts."""
        told = self.layout.columns.get(name)
        if told is None:
            return NONE
        if told.reading == "joined":
            # The earliest stands first, for its first code is the primary one; the order of the others says nothing.
            return (
                f"CASE WHEN count({name}) > 0 THEN concat(arg_min({name}, {ORDER}), '|', string_agg({name}, '|')) END"
            )
        if told.part == "first":
            first = warehouse.quoted(parts.first.rjust(4, "0"))
            return f"arg_min({name}, {ORDER}) FILTER ({ORDER}[1:4] = {first})"
        return f"arg_m{'ax' if told.part == 'latest' else 'in'}({name}, {ORDER})"


def _clock(value: str) -> str:
    written = f"concat({value}[1:2], ':', {value}[3:4])"
    return f"CASE WHEN regexp_full_match({value}, '[0-9]{{4}}') THEN {written} ELSE {value} END"


def _named(expressions: Mapping[str, str]) -> str:
    return ", ".join(f"{expression} AS {name}" for name, expression in expressions.items())
