"""The truth behind delayed transfers of care: days delayed by local authority, told three ways that agree."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from data.synthetic.places import PLACES
from data.synthetic.publication import Publication, month_end

FEED = "delayed_transfers"
CARE = ("acute", "non_acute")
RESPONSIBLE = ("nhs", "social_care", "both")
REASONS = ("a", "b", "c", "di", "dii", "e", "f", "g", "h", "i", "o")
# Regions of the statistics office, which are no NHS regions.
REGIONS = (
    "East Midlands",
    "East of England",
    "London",
    "North East",
    "North West",
    "South East",
    "South West",
    "West Midlands",
    "Yorkshire and The Humber",
)


@dataclass(frozen=True)
class Authority:
    """A local authority, or where people live who live in none; `ons_code` is None then."""

    region: str
    ons_code: str | None
    number: str
    name: str

    @property
    def code(self) -> str:
        """The code that its figures go by."""
        return self.ons_code or self.number


@dataclass(frozen=True)
class Month:
    """One issue; the people delayed were called beds until autumn 2019."""

    first: dt.date
    published: dt.date
    revised: dt.date | None = None

    @property
    def days(self) -> int:
        """Days of the month."""
        return month_end(self.first).day


ISSUES = (
    Month(dt.date(2019, 4, 1), dt.date(2019, 5, 16), dt.date(2019, 6, 6)),
    Month(dt.date(2019, 12, 1), dt.date(2020, 1, 23)),
)
AUTHORITIES = (
    *(
        Authority(
            REGIONS[number // 2],
            f"E{(6, 8, 10)[number % 3]:02d}999{number + 1:03d}",
            str(951 + number),
            f"Fictional {PLACES[number]}{' UA' if number % 3 == 0 else 'shire'}",
        )
        for number in range(2 * len(REGIONS))
    ),
    Authority("-", None, "9901", "Resident in Scotland"),
    Authority("-", None, "9900", "Resident In Wales"),
    Authority("-", None, "9902", "Resident outside GB"),
)


def transfers_publications(seed: int) -> list[Publication]:
    """One publication a month, oldest first."""
    publications = []
    for month in ISSUES:
        publication = Publication(FEED, month.revised or month.published)
        for authority in AUTHORITIES:
            for dimension, days in _days(authority, month, seed).items():
                last = month_end(month.first)
                publication.say(f"delayed_days__{dimension}__msitdt", month.first, authority.code, days, last)
                if not dimension.startswith("reason"):
                    people = printable(days / month.days)
                    publication.say(f"people_delayed__{dimension}__msitdt", month.first, authority.code, people, last)
        publications.append(publication)
    return publications


def _days(authority: Authority, month: Month, seed: int) -> dict[str, int]:
    chance = random.Random(f"{seed}:{FEED}:{authority.code}:{month.first}")
    total = chance.randint(150, 1400) if authority.ons_code else chance.randint(8, 60)
    told = {"all": total}
    for parts in (CARE, RESPONSIBLE, tuple(f"reason_{reason}" for reason in REASONS)):
        left = total
        for part in parts[:-1]:
            told[part] = round(left * chance.uniform(0.1, 0.6))
            left -= told[part]
        told[parts[-1]] = left
    return told


def printable(value: float) -> float:
    """The nearest number of fifteen digits: what a spreadsheet gives back as it was put in."""
    return float(f"{value:.15g}")
