"""What the clocks of England showed: the offset from UTC of every local day, from the time zone database.

A day on which the clocks change has two offsets and the hour at which the earlier one ends. From `REGULAR_FROM` on a
year has one change in spring and one in autumn; before, there were years of double and of permanent summer time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
REGULAR_FROM = 1972
LAST_YEAR = 2099
# Before this year there was no summer time: the offset is 0.
FIRST_YEAR = 1916
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Day:
    """A local day: hours ahead of UTC at its start and at its end, and the hour (old clock) at which they change."""

    before: int
    after: int
    changes_at: int


@cache
def changes() -> tuple[tuple[dt.date, Day], ...]:
    """The days on which the clocks change from `FIRST_YEAR` to `LAST_YEAR`, in order.

    Raises `ValueError` for a change that is not on a full hour.
    """
    found = []
    date, last = dt.date(FIRST_YEAR, 1, 1), dt.date(LAST_YEAR, 12, 31)
    before = _ahead(_midnight(date))
    while date <= last:
        # No two changes were ever within a week: days are looked at one by one only where a week holds a change.
        week = date + dt.timedelta(days=7)
        following = week if _ahead(_midnight(week)) == before else date + dt.timedelta(days=1)
        after = _ahead(_midnight(following))
        if after != before:
            found.append((date, Day(before, after, _hour_of_change(date, before))))
        date, before = following, after
    return tuple(found)


def _midnight(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), tzinfo=LONDON)


def _hour_of_change(date: dt.date, before: int) -> int:
    midnight = dt.datetime.combine(date, dt.time(), tzinfo=dt.UTC) - before * HOUR
    return next(hour for hour in range(1, 25) if _ahead((midnight + hour * HOUR).astimezone(LONDON)) != before)


def _ahead(instant: dt.datetime) -> int:
    ahead = instant.utcoffset()
    if ahead is None or ahead % HOUR:
        raise ValueError(f"{instant.date()}: not a whole number of hours ahead of UTC")
    return ahead // HOUR
