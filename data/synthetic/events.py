"""What happened to the organisations of the synthetic England: one of each kind of change, in the middle of a series.

| kind | who | when |
|---|---|---|
| merger into a new code | ZF0 and ZF1 become ZF2 | 1 April 2020 |
| absorption into an existing code | ZF3 goes into ZF4, of another region | 1 April 2020 |
| split by site | site ZF501 of ZF5 goes to ZF6, ZF502 to ZF7; until then they return daily | 1 December 2020 |
| split that no site tells apart | ZF8 becomes ZG0 and ZG1 | 1 December 2020 |
| new code for the same trust | ZG2 becomes ZG3 | 1 December 2020 |
| site that changes trust | ZS016 goes from ZA2 to ZA9 | 1 December 2020 |
| late adoption of a change | the deaths publication goes on with ZF3 | after 1 April 2020 |
| early use of a new code | deaths under ZF2 from 1 March, the COVID-19 return under ZG3 | before it was open |
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from data.synthetic.geography import ICBS
from data.synthetic.organisations import Organisation
from data.synthetic.places import PLACES

APRIL = dt.date(2020, 4, 1)
DECEMBER = dt.date(2020, 12, 1)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Succession:
    """From `day` on, `old` is (a part of) `new`."""

    old: str
    new: str
    day: dt.date


SUCCESSIONS = (
    Succession("ZF0", "ZF2", APRIL),
    Succession("ZF1", "ZF2", APRIL),
    Succession("ZF3", "ZF4", APRIL),
    Succession("ZF5", "ZF6", DECEMBER),
    Succession("ZF5", "ZF7", DECEMBER),
    Succession("ZF8", "ZG0", DECEMBER),
    Succession("ZF8", "ZG1", DECEMBER),
    Succession("ZG2", "ZG3", DECEMBER),
)

# Trust that split by site -> the sites, and the trust that each went to.
SITES_OF_SPLIT = {"ZF501": ("ZF5", "ZF6"), "ZF502": ("ZF5", "ZF7")}
MOVED_SITE = "ZS016"
MOVED_FROM, MOVED_TO = "ZA2", "ZA9"

# (feed, code): the feed uses the code before it was open. What the deaths publication does stands with it.
USED_EARLY = frozenset({("covid_hospital_activity", "ZG3")})
# What those feeds have instead of the codes of the day.
NOT_USED = frozenset({("covid_hospital_activity", "ZG2")})

_STYLES = ("HOSPITALS NHS TRUST", "NHS FOUNDATION TRUST", "UNIVERSITY HOSPITALS NHS TRUST")
# Code, ICB area, open from, open until.
_TRUSTS: tuple[tuple[str, int, dt.date, dt.date | None], ...] = (
    ("ZF0", 2, dt.date(1994, 4, 1), APRIL - DAY),
    ("ZF1", 2, dt.date(1995, 4, 1), APRIL - DAY),
    ("ZF2", 2, APRIL, None),
    ("ZF3", 3, dt.date(1993, 4, 1), APRIL - DAY),
    ("ZF4", 4, dt.date(1997, 4, 1), None),
    ("ZF5", 5, dt.date(1998, 4, 1), DECEMBER - DAY),
    ("ZF6", 5, dt.date(1999, 4, 1), None),
    ("ZF7", 12, dt.date(2000, 4, 1), None),
    ("ZF8", 6, dt.date(1996, 4, 1), DECEMBER - DAY),
    ("ZG0", 6, DECEMBER, None),
    ("ZG1", 13, DECEMBER, None),
    ("ZG2", 8, dt.date(2001, 4, 1), DECEMBER - DAY),
    ("ZG3", 8, DECEMBER, None),
)


def changing_trusts() -> tuple[Organisation, ...]:
    """The trusts of the events, all acute; each is listed with the days between which it was open."""
    return tuple(
        Organisation(
            code,
            f"FICTIONAL {PLACES[90 + number].upper()} {_STYLES[number % 3]}",
            "acute",
            "trust",
            ICBS[area].region,
            ICBS[area],
            PLACES[90 + number],
            opened,
            closed,
        )
        for number, (code, area, opened, closed) in enumerate(_TRUSTS)
    )


def sites_of_split(trusts: tuple[Organisation, ...]) -> tuple[Organisation, ...]:
    """The sites of the trust that split, as the newest list has them: with the trust that they went to."""
    by_code = {trust.code: trust for trust in trusts}
    sites = []
    for code, (before, after) in SITES_OF_SPLIT.items():
        trust = by_code[before]
        sites.append(
            Organisation(
                code,
                f"Fictional {trust.place} {'North' if code.endswith('1') else 'South'} Hospital",
                "site",
                "site",
                trust.region,
                trust.icb,
                trust.place,
                parent_code=after,
                parent_name=by_code[after].name.title().replace("Nhs", "NHS"),
            )
        )
    return tuple(sites)


def parent_before(site: Organisation) -> str | None:
    """The parent that the earlier list of sites gives."""
    if site.code in SITES_OF_SPLIT:
        return SITES_OF_SPLIT[site.code][0]
    return MOVED_FROM if site.code == MOVED_SITE else site.parent_code


def returns(feed: str, organisation: Organisation, day: dt.date) -> bool:
    """Whether the organisation makes a return to the feed for that day, under this code."""
    code = organisation.code
    if (feed, code) in NOT_USED or (code in SITES_OF_SPLIT and day >= DECEMBER):
        return False
    began = organisation.opened is None or day >= organisation.opened or (feed, code) in USED_EARLY
    ended = organisation.closed is not None and day > organisation.closed
    return began and not ended
