"""Another publication's layout of a feed's records: which of its columns becomes which of the contract's, and how.

Told by its header alone. A column of it that is neither used nor listed as not needed stops a batch that fills it, as
everywhere. The SQL is made from this in `adapters/persons/layouts.py`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.domain.strict import Strict

# text      as it is
# date      a date; of a date with a time, the date
# clock     HHMM as HH:MM
# clock_day the day of an HHMM that has no date: that of `after`, or the next when the clock shows less than it did then
# month     MMYYYY, a month of birth, as its first day
# joined    every filled column whose header is like `of`, joined by |
Conversion = Literal["text", "date", "clock", "clock_day", "month", "joined"]
# Of which row of a record that comes in parts: the earliest that holds something, the first and no other, the latest.
Part = Literal["earliest", "first", "latest"]


class Source(Strict):
    """Where a column of the contract comes from: the first of the columns `of` that holds something.

    `not_known` are values that stand for none, as does a date before `earliest`; `recoded` says what a code becomes,
    others stay as they are. A `value` is one that the publication does not hold: with `beside` it stands where that
    column of the contract is filled. `else_day_of_receipt` is what stands where nothing is held.
    """

    of: tuple[str, ...] = ()
    reading: Conversion = "text"
    not_known: tuple[str, ...] = ()
    earliest: dt.date | None = None
    recoded: dict[str, str] = Field(default_factory=dict)
    after: tuple[str, str] | None = None
    part: Part = "earliest"
    value: str | None = None
    beside: str | None = None
    else_day_of_receipt: bool = False
    reason: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.of) == (self.value is not None):
            raise ValueError("a column comes either from columns of the publication or is one value")
        if (self.reading == "clock_day") != (self.after is not None):
            raise ValueError("a day of a clock time, and no other, says which date and clock it comes after")
        if self.value is not None and not self.reason:
            raise ValueError("a value that the publication does not hold needs its reason")
        return self


class Parts(Strict):
    """A record that comes in several rows: rows are one record when `same` are equal.

    Each of `same` is a list of columns, of which the first that holds something counts. A row whose `order` is `first`
    and whose `last` columns hold those values is whole, and a record of its own. `tie` orders rows of equal `order`.
    """

    order: str
    first: str
    last: dict[str, str]
    tie: str
    same: tuple[tuple[str, ...], ...]


class OtherLayout(Strict):
    """A layout of another publication: every column of `marked_by` is in its header, in capitals or not."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    publication: str
    marked_by: tuple[str, ...] = Field(min_length=2)
    # Columns of the contract that are not here stay empty.
    columns: dict[str, Source]
    parts: Parts | None = None
    # Patterns of whole header texts.
    not_needed: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for name, source in self.columns.items():
            others = [*(source.after or ()), *([source.beside] if source.beside else [])]
            if missing := [other for other in others if other not in self.columns]:
                raise ValueError(f"layout {self.name}, column {name}: unknown columns {', '.join(missing)}")
        return self

    def is_of(self, names: Iterable[str]) -> bool:
        """Whether a header is of this layout."""
        return {name.upper() for name in self.marked_by} <= {name.upper() for name in names}

    def used(self, names: Iterable[str]) -> tuple[str, ...]:
        """The columns of a header that are read, in its order."""
        wanted = [re.compile(pattern) for pattern in self._wanted()]
        return tuple(name for name in names if any(one.fullmatch(name.upper()) for one in wanted))

    def further(self, names: Iterable[str]) -> tuple[str, ...]:
        """The columns of a header that nobody declared."""
        known = [re.compile(pattern) for pattern in (*self._wanted(), *self.not_needed)]
        return tuple(name for name in names if not any(one.fullmatch(name.upper()) for one in known))

    def _wanted(self) -> set[str]:
        wanted = set(self.marked_by)
        for source in self.columns.values():
            wanted |= set(source.of)
        if self.parts:
            wanted |= {self.parts.order, self.parts.tie, *self.parts.last}
            wanted |= {name for names in self.parts.same for name in names}
        return wanted
