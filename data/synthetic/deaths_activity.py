"""The truth behind the deaths publication: deaths by trust and day of death, in two issues that count recent days anew.

The first issue goes on with the codes of trusts that had merged days before. The second has the new code for all
days, those before the merger too, and still goes on with one code of a trust that was absorbed.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from dataclasses import dataclass

from data.synthetic.england import England
from data.synthetic.events import APRIL, SUCCESSIONS
from data.synthetic.organisations import Organisation
from data.synthetic.publication import DAY, Publication, days_from

FEED = "covid_deaths"
DEATHS = "deaths__all__cpns"
BEFORE, AWAITING, TO_DATE = (
    f"deaths_{which}__all__cpns" for which in ("before_march_2020", "awaiting_verification", "to_date")
)
FIRST = dt.date(2020, 3, 1)
PEAK = dt.date(2020, 4, 9)
REGISTERED_LATE = {0: 0.35, 1: 0.6, 2: 0.75, 3: 0.85, 4: 0.93}
NEW_CODE = "ZF2"
EARLIEST_SITES = 6


@dataclass(frozen=True)
class Issue:
    """One issue: all days to `last`; `adopted` when it uses the code of the merger of April 2020."""

    published: dt.date
    last: dt.date
    adopted: bool


ISSUES = (
    Issue(dt.date(2020, 4, 10), dt.date(2020, 4, 9), False),
    Issue(dt.date(2020, 5, 1), dt.date(2020, 4, 30), True),
)


def deaths_publications(england: England, seed: int) -> list[Publication]:
    """The two issues, the earlier first."""
    world = _world(england, seed)
    merged = [succession.old for succession in SUCCESSIONS if succession.new == NEW_CODE]
    publications = []
    for issue in ISSUES:
        publication = Publication(FEED, issue.published)
        told = dict(world)
        if issue.adopted:
            parts = [told.pop(code) for code in merged]
            told[NEW_CODE] = {day: sum(part[day] for part in parts) for day in parts[0]}
        for code, by_day in sorted(told.items()):
            _say(publication, issue, code, by_day, seed)
        publications.append(publication)
    return publications


def _world(england: England, seed: int) -> dict[str, dict[dt.date, int]]:
    """What happened, by the code of 1 March 2020."""
    open_then = [trust for trust in england.changing if trust.opened and trust.opened < APRIL]
    sites = [site for site in england.sites if site.code.startswith("ZS")][:EARLIEST_SITES]
    return {provider.code: _deaths(provider, seed) for provider in (*england.stable_trusts, *open_then, *sites)}


def _deaths(provider: Organisation, seed: int) -> dict[dt.date, int]:
    chance = random.Random(f"{seed}:{FEED}:{provider.code}")
    size = {"acute": chance.uniform(3, 10), "specialist": 0.4, "community": 0.3}.get(provider.kind, 0.15)
    return {
        day: max(0, round(size * math.exp(-(((day - PEAK).days / 13) ** 2)) * chance.uniform(0.4, 1.6) - 0.2))
        for day in days_from(FIRST, ISSUES[-1].last)
    }


def _say(publication: Publication, issue: Issue, code: str, by_day: dict[dt.date, int], seed: int) -> None:
    awaiting = 1 if random.Random(f"{seed}:{FEED}:awaiting:{code}").random() < 0.05 else 0
    publication.say(BEFORE, FIRST - DAY, code, 0)
    total = awaiting
    for day in days_from(FIRST, issue.last):
        known = math.floor(by_day[day] * REGISTERED_LATE.get((issue.last - day).days, 1.0))
        publication.say(DEATHS, day, code, known)
        total += known
    publication.say(AWAITING, issue.last, code, awaiting)
    publication.say(TO_DATE, issue.last, code, total)
