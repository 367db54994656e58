"""Days and minutes: the clock of London, the calendar of a year, the two waves.

Days are counted from 1 January 1970, instants are minutes in UTC from its midnight.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np

from data.synthetic.persons.chance import Bools, Ints

DAY = 1440
HOUR = 60
# No time: earlier than every other, so that comparisons with it are false where it matters.
NEVER = -(1 << 40)
_EPOCH = dt.date(1970, 1, 1)


def day_number(day: dt.date) -> int:
    """Days since 1970."""
    return (day - _EPOCH).days


def date_of(number: int) -> dt.date:
    """The date of a day number."""
    return _EPOCH + dt.timedelta(days=int(number))


def _last_sunday(year: int, month: int) -> int:
    last = day_number(dt.date(year, month, 31))
    return last - (last + 4) % 7


# Instants at which the clocks change, from winter to summer and back, in turn; both at 01:00 UTC.
_CHANGES = np.array(
    [_last_sunday(year, month) * DAY + HOUR for year in range(1980, 2041) for month in (3, 10)], dtype=np.int64
)


def is_summer(at: Ints) -> Bools:
    """Whether British Summer Time is in force at the instant."""
    return np.searchsorted(_CHANGES, at, side="right") % 2 == 1


def local(at: Ints) -> Ints:
    """Wall clock of the instant, in minutes since 1970; NEVER stays NEVER."""
    return np.where(at == NEVER, NEVER, at + HOUR * is_summer(at))


def local_day(at: Ints) -> Ints:
    """Local day of the instant; of NEVER a day before all others."""
    return np.where(at == NEVER, NEVER, local(at) // DAY)


def midnight(day: Ints) -> Ints:
    """The instant of 00:00 local at which the day begins."""
    begins = day * DAY
    return begins - HOUR * is_summer(begins - HOUR)


def is_second_hour(at: Ints) -> Bools:
    """Whether the wall clock shows this time for the second time: the hour after the autumn change."""
    return ~is_summer(at) & is_summer(at - HOUR)


def within_day(day: Ints, minute: Ints) -> Ints:
    """The instant `minute` minutes after local midnight, kept inside a day of 23 hours; 25-hour days keep 24."""
    begins = midnight(day)
    return begins + np.minimum(minute, midnight(day + 1) - begins - 1)


# How much of its usual work there is: (day, A&E, planned care, admissions with COVID-19 against the first peak).
_TIMES: tuple[tuple[dt.date, float, float, float], ...] = (
    (dt.date(2000, 1, 1), 1.00, 1.00, 0.0),
    (dt.date(2020, 2, 20), 1.00, 1.00, 0.0),
    (dt.date(2020, 3, 10), 0.95, 0.97, 0.08),
    (dt.date(2020, 3, 29), 0.50, 0.30, 0.80),
    (dt.date(2020, 4, 6), 0.50, 0.22, 1.00),
    (dt.date(2020, 5, 10), 0.64, 0.30, 0.40),
    (dt.date(2020, 6, 20), 0.80, 0.55, 0.09),
    (dt.date(2020, 8, 15), 0.97, 0.75, 0.02),
    (dt.date(2020, 10, 10), 0.93, 0.90, 0.20),
    (dt.date(2020, 11, 15), 0.82, 0.88, 0.55),
    (dt.date(2020, 12, 3), 0.84, 0.88, 0.47),
    (dt.date(2021, 1, 12), 0.70, 0.60, 1.30),
    (dt.date(2021, 2, 28), 0.80, 0.70, 0.30),
    (dt.date(2021, 6, 1), 1.00, 0.95, 0.03),
    (dt.date(2040, 1, 1), 1.00, 1.00, 0.03),
)
_AE_OF_WEEKDAY = (1.10, 1.02, 0.99, 0.98, 0.98, 0.97, 0.96)
_PLANNED_OF_WEEKDAY = (1.28, 1.36, 1.34, 1.32, 1.18, 0.32, 0.20)
_AE_OF_MONTH = (0.99, 0.97, 1.00, 0.99, 1.03, 1.03, 1.04, 0.98, 1.00, 1.01, 1.00, 0.99)
# Sick people among those who come, and how slow departments are.
_WINTER_OF_MONTH = (1.25, 1.15, 1.05, 1.0, 0.95, 0.9, 0.9, 0.9, 0.95, 1.05, 1.1, 1.3)


class Year:
    """What each day from `first` to `last` is like, as arrays."""

    def __init__(self, first: int, last: int) -> None:
        rows = [_of_day(date_of(number)) for number in range(first, last + 1)]
        self.first = first
        columns = [np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)]
        self.ae, self.planned, self.covid, self.winter = columns

    def at(self, of: np.ndarray, day: Ints) -> np.ndarray:
        """The value of each day."""
        return of[np.clip(day - self.first, 0, len(of) - 1)]


def _of_day(day: dt.date) -> tuple[float, float, float, float]:
    for left, right in pairwise(_TIMES):
        if left[0] <= day < right[0]:
            share = (day - left[0]).days / (right[0] - left[0]).days
            ae, planned, covid = (low + (high - low) * share for low, high in zip(left[1:], right[1:], strict=True))
            month, weekday = day.month - 1, day.weekday()
            return (
                ae * _AE_OF_WEEKDAY[weekday] * _AE_OF_MONTH[month],
                planned * _PLANNED_OF_WEEKDAY[weekday],
                covid,
                _WINTER_OF_MONTH[month],
            )
    raise ValueError("the synthetic England knows the days from 2000 to 2039")
