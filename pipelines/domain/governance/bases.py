"""Legal bases: when each is in force, and when that came to be known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from pipelines.domain.governance.parts import Id, Span, Text, ordered
from pipelines.domain.strict import Strict

ONE_DAY = dt.timedelta(days=1)


class Interval(Span):
    """Days on which a basis is in force, and the day on which that was made known."""

    known_from: dt.date

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        ordered(self.from_, self.to)
        return self


class LegalBasis(Strict):
    """A legal basis, when it is in force, and what it asks of person-level data.

    Each row of `intervals` is one decision. A later row with the same `from` replaces the earlier one from the day on
    which it was known: so an extension, and a basis cut short, are new rows and nothing is edited.
    `opt_outs_apply`: the records of persons who have opted out are left out of everything made from such data.
    `test_numbers_only`: NHS numbers are those set aside for tests (999); any other is refused.
    """

    id: Id
    title: Text
    citation: Text
    opt_outs_apply: bool
    test_numbers_only: bool
    intervals: tuple[Interval, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_row_once(self) -> Self:
        rows = [(interval.from_, interval.known_from) for interval in self.intervals]
        for start, known_from in rows:
            if rows.count((start, known_from)) > 1:
                raise ValueError(f"intervals: two rows from {start} are known from {known_from}")
        return self

    def known(self, known_on: dt.date) -> Iterator[Interval]:
        """The intervals as they were known at the end of a day, by their first day."""
        newest: dict[dt.date, Interval] = {}
        for interval in sorted(self.intervals, key=lambda one: one.known_from):
            if interval.known_from <= known_on:
                newest[interval.from_] = interval
        yield from (newest[start] for start in sorted(newest))

    def in_force(self, day: dt.date, known_on: dt.date | None = None) -> bool:
        """Whether the basis is in force on that day, as known on a day (default: that same day)."""
        return any(interval.holds(day) for interval in self.known(known_on or day))

    def believed_end(self, day: dt.date, known_on: dt.date | None = None) -> dt.date | None:
        """The last day on which the basis stays in force without a gap, as known on a day; None when it is open-ended.

        Raises `ValueError` when it is not in force on `day`.
        """
        known = list(self.known(known_on or day))
        if not any(interval.holds(day) for interval in known):
            raise ValueError(f"{self.id} is not in force on {day}")
        end = day
        for interval in known:
            if interval.from_ > end + ONE_DAY:
                break
            if interval.to is None:
                return None
            end = max(end, interval.to)
        return end


class BasesFile(Strict):
    """`legal_bases.yaml`: on what data is held and released."""

    legal_bases: tuple[LegalBasis, ...]
