"""The weeks, organisations and places that small nasty stores of person-level files are about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tests.support.oracle import Organisations, Statement, Succession
from tests.support.oracle.clock import DAY
from tests.support.oracle.layouts import LAYOUTS

FEEDS = tuple(LAYOUTS)

# Two that merge, the one that they become and what that becomes; one that splits and its parts; one that gives a part
# away and goes on; one that no list knows; one of five characters whose only site has its own code.
MERGED = ("ZA1", "ZA2", "ZA9", "ZC9")
SPLIT = ("ZD1", "ZE1", "ZE2")
PARTED = ("ZF1", "ZF2")
UNKNOWN = "ZU1"
LONG = "ZL501"
PROVIDERS = (*MERGED, *SPLIT, *PARTED, UNKNOWN, LONG)
FAMILIES = (MERGED, SPLIT, PARTED)
PRACTICES = ("Z00001", "Z00002", "Z00010")
LABS = ("LAB9", "LAB10")
HOMES = ("1-100000001", "1-100000002")
REGIONS = ("Y56", "Y60", "Y61")
ICBS = ("QE1", "QF7", "QOC")


@dataclass(frozen=True)
class Window:
    """The weeks that a store is about, with the day on which organisations change."""

    first: dt.date
    last: dt.date
    change: dt.date
    nights: tuple[dt.date, ...] = ()

    @property
    def organisations(self) -> Organisations:
        """Two issues of the trust list, in between a move to another region and ICB, and the successions."""
        issues = (self.first + 4 * DAY, self.change)
        statements = [
            Statement(
                day,
                code,
                REGIONS[(place + (number if code in ("ZA1", "ZF1") else 0)) % 3],
                None if code == "ZE2" and number == 0 else ICBS[(place + (number if code == "ZA9" else 0)) % 3],
            )
            for number, day in enumerate(issues)
            for place, code in enumerate(PROVIDERS)
            if code != UNKNOWN and not (code == "ZF2" and number == 0)
        ]
        successions = [
            Succession("ZA1", "ZA9", self.change),
            Succession("ZA2", "ZA9", self.change),
            Succession("ZA9", "ZC9", self.change + 7 * DAY),
            Succession("ZD1", "ZE1", self.change),
            Succession("ZD1", "ZE2", self.change),
            Succession("ZF1", "ZF1", self.change),
            Succession("ZF1", "ZF2", self.change),
        ]
        return Organisations(tuple(statements), tuple(successions))


SPRING = Window(dt.date(2020, 3, 10), dt.date(2020, 4, 8), dt.date(2020, 4, 1), (dt.date(2020, 3, 29),))
AUTUMN = Window(dt.date(2020, 10, 6), dt.date(2020, 11, 3), dt.date(2020, 10, 25), (dt.date(2020, 10, 25),))
AUTUMN_NIGHT = Window(dt.date(2020, 10, 6), dt.date(2020, 10, 25), dt.date(2020, 10, 20), (dt.date(2020, 10, 25),))
SPRING_EVE = Window(dt.date(2020, 3, 10), dt.date(2020, 3, 28), dt.date(2020, 3, 20))
LEAP_DAY = Window(dt.date(2020, 2, 10), dt.date(2020, 3, 5), dt.date(2020, 3, 1), (dt.date(2020, 2, 29),))
WINDOWS = (SPRING, AUTUMN, AUTUMN_NIGHT, SPRING_EVE, LEAP_DAY)
