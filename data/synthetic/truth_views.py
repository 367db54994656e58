"""Under which code a figure counts in each organisation view: said by hand for each event, not worked out by a rule.

A code and day that is not said here counts as itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from data.synthetic.events import APRIL, DECEMBER

AS_REPORTED, AS_AT_DATE, AS_CURRENT = VIEWS = ("as_reported", "as_at_date", "as_current")


@dataclass(frozen=True)
class Counted:
    """From `begins` (inclusive) to `ends` (exclusive) figures of `code` count as `counted_as` in the view."""

    view: str
    code: str
    counted_as: str
    begins: dt.date | None = None
    ends: dt.date | None = None
    is_apportionable: bool = True

    def holds(self, day: dt.date) -> bool:
        """Whether the day is among those meant."""
        return (self.begins is None or day >= self.begins) and (self.ends is None or day < self.ends)


COUNTED = (
    # Codes used after their trust had become (a part of) another.
    Counted(AS_AT_DATE, "ZF0", "ZF2", APRIL),
    Counted(AS_AT_DATE, "ZF1", "ZF2", APRIL),
    Counted(AS_AT_DATE, "ZF3", "ZF4", APRIL),
    Counted(AS_AT_DATE, "ZF5", "ZF5", DECEMBER, is_apportionable=False),
    Counted(AS_AT_DATE, "ZF8", "ZF8", DECEMBER, is_apportionable=False),
    Counted(AS_AT_DATE, "ZG2", "ZG3", DECEMBER),
    # New codes used for days before there were any: of one trust, or of two that cannot be told apart.
    Counted(AS_AT_DATE, "ZF2", "ZF2", ends=APRIL, is_apportionable=False),
    Counted(AS_AT_DATE, "ZG0", "ZF8", ends=DECEMBER),
    Counted(AS_AT_DATE, "ZG1", "ZF8", ends=DECEMBER),
    Counted(AS_AT_DATE, "ZG3", "ZG2", ends=DECEMBER),
    # Today.
    Counted(AS_CURRENT, "ZF0", "ZF2"),
    Counted(AS_CURRENT, "ZF1", "ZF2"),
    Counted(AS_CURRENT, "ZF3", "ZF4"),
    Counted(AS_CURRENT, "ZF5", "ZF5", is_apportionable=False),
    Counted(AS_CURRENT, "ZF8", "ZF8", is_apportionable=False),
    Counted(AS_CURRENT, "ZG2", "ZG3"),
    # The sites of the trust that split went with their own figures.
    Counted(AS_CURRENT, "ZF501", "ZF6", ends=DECEMBER),
    Counted(AS_CURRENT, "ZF502", "ZF7", ends=DECEMBER),
)
CONCERNED = {one.code for one in COUNTED} | {one.counted_as for one in COUNTED}
_BY_CODE = {(one.view, one.code): one for one in COUNTED}


def counted(view: str, code: str, day: dt.date) -> Counted:
    """How figures of that code for a period that begins on `day` count in the view."""
    said = _BY_CODE.get((view, code))
    return said if said and said.holds(day) else Counted(view, code, code)


def rows() -> Iterator[list[object]]:
    """The exceptions as a table."""
    for one in COUNTED:
        yield [one.view, one.code, one.begins, one.ends, one.counted_as, str(one.is_apportionable).lower()]
