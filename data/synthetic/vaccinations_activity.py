"""The truth behind weekly vaccinations: people vaccinated since 8 December 2020, by residence, dose and age.

England counts those whose residence is elsewhere or unknown, and a region those of areas that the synthetic England
does not have: England, regions and areas are figures of their own.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from data.synthetic.geography import ICBS, NATION_CODE, REGIONS
from data.synthetic.publication import Publication

FEED = "covid_vaccinations"
FIRST_DAY = dt.date(2020, 12, 8)
DOSES = ("first_doses", "second_doses")
TOTAL = "total_doses__all__nims"
ELSEWHERE = "Other"


@dataclass(frozen=True)
class Issue:
    """One week: its last day, the age bands of the time, how far the programme was, which areas are told."""

    last: dt.date
    published: dt.date
    bands: dict[str, str]
    progress: float
    has_areas: bool


ISSUES = (
    Issue(dt.date(2021, 1, 10), dt.date(2021, 1, 12), {"under_80": "Under 80", "80_and_over": "80+"}, 1.0, False),
    Issue(
        dt.date(2021, 1, 17),
        dt.date(2021, 1, 19),
        {"under_70": "Under 70", "70_to_74": "70-74", "75_to_79": "75-79", "80_and_over": "80+"},
        1.6,
        True,
    ),
)
_SHARES = {"under_80": 0.48, "under_70": 0.34, "70_to_74": 0.05, "75_to_79": 0.09, "80_and_over": 0.52}

Doses = dict[tuple[str, str], int]


def vaccination_publications(seed: int) -> list[Publication]:
    """One publication a week, oldest first."""
    publications = []
    for issue in ISSUES:
        publication = Publication(FEED, issue.published)
        told = residences(issue, seed)
        del told[ELSEWHERE]
        for code, doses in told.items():
            for (dose, band), people in doses.items():
                publication.say(f"{dose}__{band}__nims", issue.last, code, people)
            publication.say(TOTAL, issue.last, code, sum(doses.values()))
        publications.append(publication)
    return publications


def residences(issue: Issue, seed: int) -> dict[str, Doses]:
    """People vaccinated by code of residence: England, regions, areas where told, and those elsewhere."""
    regions = {region.code: _doses(region.code, 180_000, issue, seed) for region in REGIONS}
    elsewhere = _doses(ELSEWHERE, 1_500, issue, seed)
    told = {NATION_CODE: _sum([*regions.values(), elsewhere]), **regions, ELSEWHERE: elsewhere}
    if issue.has_areas:
        for icb in ICBS:
            share = random.Random(f"{seed}:{FEED}:{icb.code}").uniform(0.15, 0.3)
            told[icb.code] = {key: round(people * share) for key, people in regions[icb.region.code].items()}
    return told


def _doses(code: str, usual: int, issue: Issue, seed: int) -> Doses:
    chance = random.Random(f"{seed}:{FEED}:{code}")
    size = usual * chance.uniform(0.8, 1.3) * issue.progress
    return {
        (dose, band): round(size * share * _SHARES[band])
        for dose, share in zip(DOSES, (1.0, 0.12), strict=True)
        for band in issue.bands
    }


def _sum(all_doses: list[Doses]) -> Doses:
    return {key: sum(doses[key] for doses in all_doses) for key in all_doses[0]}
