"""The truth behind the dashboard of UKHSA: England's admissions and beds as the COVID-19 return has them, and deaths.

Four files: admissions by day and a headline as ingestion files, deaths by age and the United Kingdom's admissions as
exports. Age bands overlap: five-year bands, and all under and over 60.
"""

from __future__ import annotations

import datetime as dt
import random

from data.synthetic.bed_activity import ADMISSIONS, ALL_BEDS, ISSUES
from data.synthetic.geography import NATION_CODE
from data.synthetic.publication import DAY, Publication, days_from

FEED = "ukhsa_dashboard"
UNITED_KINGDOM = "K02000001"
ADMITTED, HEADLINE = "admissions__all__ukhsa", "occupied_beds_7_day_average__all__ukhsa"
REFRESHED = dt.date(2021, 1, 22)
EXPORTED = dt.date(2021, 1, 15)
FORTNIGHT = dt.timedelta(days=14)
WEEK = dt.timedelta(days=6)
YOUNGER = tuple(f"{age:02d}_{age + 4:02d}" for age in range(0, 60, 5))
OLDER = (*(f"{age:02d}_{age + 4:02d}" for age in range(60, 90, 5)), "90_and_over")
UNDER_60, OVER_60 = "00_59", "60_and_over"


def dashboard_publications(weekly: list[Publication], seed: int) -> list[Publication]:
    """What the exports say, then the ingestion files, which have England's admissions of the COVID-19 return."""
    return [_exported(seed), _ingested(weekly[-1])]


def _ingested(newest: Publication) -> Publication:
    publication = Publication(FEED, REFRESHED)
    for day in ISSUES[-1].days(ADMISSIONS):
        publication.say(ADMITTED, day, NATION_CODE, _england(newest, ADMISSIONS, day))
    last = ISSUES[-1].days(ADMISSIONS)[-1]
    week = days_from(last - WEEK, last)
    average = round(sum(_england(newest, ALL_BEDS, day) for day in week) / len(week), 1)
    publication.say(HEADLINE, week[0], NATION_CODE, average, week[-1])
    return publication


def _england(publication: Publication, metric_id: str, day: dt.date) -> int:
    return int(sum(value or 0 for value in publication.figures[metric_id, day].values()))


def _exported(seed: int) -> Publication:
    publication = Publication(FEED, EXPORTED)
    for day in days_from(EXPORTED - FORTNIGHT, EXPORTED - DAY):
        chance = random.Random(f"{seed}:{FEED}:{day}")
        deaths = {band: chance.randint(0, 2) for band in YOUNGER}
        deaths |= {band: chance.randint(5, 20) * (place + 1) for place, band in enumerate(OLDER)}
        deaths[UNDER_60] = sum(deaths[band] for band in YOUNGER)
        deaths[OVER_60] = sum(deaths[band] for band in OLDER)
        for band, count in deaths.items():
            publication.say(f"deaths__{band}__ukhsa", day, NATION_CODE, count)
        publication.say(ADMITTED, day, UNITED_KINGDOM, chance.randint(3200, 4600))
    return publication
