"""The two nights on which the clocks change, and a midnight: a few records on every side of each boundary.

A random day has hardly anybody there at two in the morning, so these are said one by one: arrivals and admissions
before, in and after the hour that is left out or comes twice, waits that are long by one clock and short by the other.
"""

from __future__ import annotations

import datetime as dt
from itertools import product

import numpy as np

from data.synthetic.persons.chance import Chance
from data.synthetic.persons.clock import DAY, HOUR, NEVER, day_number, local_day
from data.synthetic.persons.people import People
from data.synthetic.persons.records import FUNCTIONS, METHODS, Attendances, Spells

# The instants (minutes in UTC) at which clocks change, and a midnight of winter time.
CHANGES = tuple(day_number(day) * DAY + HOUR for day in (dt.date(2020, 3, 29), dt.date(2020, 10, 25)))
MIDNIGHT = day_number(dt.date(2021, 1, 12)) * DAY
FIRST_ID = 1 << 37
_AROUND = (-121, -90, -61, -60, -59, -31, -1, 0, 1, 29, 30, 59, 60, 61, 119, 120)
_WAITS = (0, 35, 60, 239, 240, 241)


def _cases(first: int, last: int) -> list[tuple[int, int]]:
    """Start and length of each."""
    around = [change for change in (*CHANGES, MIDNIGHT) if first * DAY <= change - DAY and change + DAY <= last * DAY]
    return [(change + before, wait) for change, (before, wait) in product(around, product(_AROUND, _WAITS))]


def night_attendances(people: People, first: int, last: int) -> Attendances | None:
    """Attendances at one department in those nights."""
    cases = _cases(first, last)
    if not cases:
        return None
    draw = Chance(people.seed, "nights")
    arrival, wait = (np.array(column, dtype=np.int64) for column in zip(*cases, strict=True))
    ids = FIRST_ID + np.arange(len(cases), dtype=np.int64) * 4
    site = np.full(len(ids), people.places.site_number("ZA101"))
    return Attendances(
        ids,
        people.drawn(draw, ids, 1.0),
        site,
        people.places.provider(site, local_day(arrival)),
        np.zeros(len(ids), dtype=np.int64),
        np.zeros(len(ids), dtype=np.int64),
        arrival,
        arrival + wait // 4,
        arrival + wait // 2,
        np.where(ids // 4 % 3 == 0, arrival + wait // 2, NEVER),
        arrival + wait,
    )


def night_spells(people: People, first: int, last: int) -> Spells | None:
    """Stays that begin or end in those nights, some of them minutes long."""
    cases = _cases(first, last)[::2]
    if not cases:
        return None
    draw = Chance(people.seed, "nights")
    admission, length = (np.array(column, dtype=np.int64) for column in zip(*cases, strict=True))
    ids = FIRST_ID + np.arange(len(cases), dtype=np.int64) * 16
    # Every third is in for two days more, every fifth ends in the night.
    length = length + 2 * DAY * (ids // 16 % 3 == 0)
    admission = np.where(ids // 16 % 5 == 0, admission - 3 * DAY, admission)
    length = np.where(ids // 16 % 5 == 0, length + 3 * DAY, length)
    site = np.full(len(ids), people.places.site_number("ZA101"))
    none = np.zeros(len(ids), dtype=np.int64)
    return Spells(
        ids,
        people.drawn(draw, ids, 1.0),
        site,
        people.places.provider(site, local_day(admission)),
        none + 1,
        none + METHODS.index("21"),
        none,
        admission,
        admission + length,
        none,
        none + FUNCTIONS.index("300"),
        none + 7,
    )
