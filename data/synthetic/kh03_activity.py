"""The truth behind KH03: average daily beds by sector and quarter; one quarter is issued twice, with other values.

The England series is a publication of its own: it has the quarter that was revised as it was first issued.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from data.synthetic.england import England
from data.synthetic.events import returns
from data.synthetic.geography import NATION_CODE
from data.synthetic.hospitals import usual_beds
from data.synthetic.organisations import Organisation
from data.synthetic.publication import Publication, month_end

FEED = "kh03_beds"
SECTORS = ("general_acute", "learning_disabilities", "maternity", "mental_illness")
OCCUPANCY = {"general_acute": 0.91, "learning_disabilities": 0.72, "maternity": 0.58, "mental_illness": 0.89}
MEASURES = ("available_beds", "occupied_beds")


@dataclass(frozen=True)
class Quarter:
    """One issue of a quarter: how busy it was, when it was published and when revised."""

    first: dt.date
    busy: float
    published: dt.date
    revised: dt.date | None = None

    @property
    def last(self) -> dt.date:
        """Last day of the quarter."""
        return month_end(month_end(month_end(self.first) + dt.timedelta(days=1)) + dt.timedelta(days=1))

    @property
    def financial_year(self) -> str:
        """As KH03 writes it: 2019-20."""
        begins = self.first.year if self.first.month >= 4 else self.first.year - 1
        return f"{begins}-{(begins + 1) % 100:02d}"

    @property
    def number(self) -> int:
        """Quarter of the financial year: April to June is the first."""
        return (self.first.month - 4) % 12 // 3 + 1


ISSUES = (
    Quarter(dt.date(2019, 10, 1), 1.0, dt.date(2020, 1, 20)),
    Quarter(dt.date(2019, 10, 1), 1.0, dt.date(2020, 1, 20), dt.date(2020, 2, 14)),
    Quarter(dt.date(2020, 1, 1), 0.97, dt.date(2020, 4, 16)),
    Quarter(dt.date(2020, 4, 1), 0.72, dt.date(2020, 7, 16)),
)
SERIES_PUBLISHED = dt.date(2020, 7, 17)
# Quarters that no provider workbook covers; then all that the series has.
SERIES_BEFORE = (
    Quarter(dt.date(2019, 4, 1), 0.98, SERIES_PUBLISHED),
    Quarter(dt.date(2019, 7, 1), 0.97, SERIES_PUBLISHED),
)
SERIES = (*SERIES_BEFORE, ISSUES[0], *ISSUES[2:])

# In the first issue of October to December 2019: beds more or fewer, and a trust whose return came late.
RESTATED = {("ZC5", "general_acute"): (-12.5, -9.25), ("ZD6", "mental_illness"): (8.0, 6.5)}
LATE = "ZD5"


def quarterly_publications(england: England, seed: int) -> list[Publication]:
    """Provider workbooks, oldest first, then the England series."""
    trusts = [*england.stable_trusts, *england.changing]
    publications = []
    for number, quarter in enumerate(ISSUES):
        publication = Publication(FEED, quarter.revised or quarter.published)
        for trust in trusts:
            if not returns(FEED, trust, quarter.first) or (trust.code == LATE and not number):
                continue
            _say(publication, trust, quarter, seed, {} if number else RESTATED)
        publications.append(publication)
    return [*publications, _series(publications)]


def _say(
    publication: Publication,
    trust: Organisation,
    quarter: Quarter,
    seed: int,
    changes: dict[tuple[str, str], tuple[float, float]],
) -> None:
    chance = random.Random(f"{seed}:{FEED}:{trust.code}:{quarter.first}")
    totals = [0.0, 0.0]
    for sector in SECTORS:
        size = getattr(usual_beds(trust, seed), sector)
        # Fewer beds in the first wave; of four decimal places, so that what is printed is what is true.
        available = size * (1.0 if quarter.busy > 0.9 else 0.93) * chance.uniform(0.997, 1.003)
        occupied = available * min(0.99, OCCUPANCY[sector] * quarter.busy * chance.uniform(0.97, 1.03))
        more = changes.get((trust.code, sector), (0.0, 0.0))
        for place, value in enumerate((round(available + more[0], 4), round(occupied + more[1], 4))):
            totals[place] += value
            publication.say(_metric(MEASURES[place], sector), quarter.first, trust.code, value, quarter.last)
    for measure, total in zip(MEASURES, totals, strict=True):
        publication.say(_metric(measure, "total"), quarter.first, trust.code, round(total, 4), quarter.last)


def _series(publications: list[Publication]) -> Publication:
    """England as the first issue of each quarter had it; earlier quarters from how busy they were."""
    series = Publication(FEED, SERIES_PUBLISHED)
    first_issues = (publications[0], *publications[2:])
    england: dict[tuple[dt.date, str, str], float] = {}
    for quarter, publication in zip((ISSUES[0], *ISSUES[2:]), first_issues, strict=True):
        for measure in MEASURES:
            for sector in SECTORS:
                by_trust = publication.figures[_metric(measure, sector), quarter.first].values()
                england[quarter.first, measure, sector] = round(sum(value or 0 for value in by_trust), 4)
    for quarter in SERIES_BEFORE:
        for measure in MEASURES:
            for sector in SECTORS:
                known = england[ISSUES[0].first, measure, sector]
                england[quarter.first, measure, sector] = round(known * quarter.busy, 2)
    for quarter in SERIES:
        for measure in MEASURES:
            values = {sector: england[quarter.first, measure, sector] for sector in SECTORS}
            for sector, value in {"total": round(sum(values.values()), 4), **values}.items():
                metric_id = f"{_metric(measure, sector)}_series"
                series.say(metric_id, quarter.first, NATION_CODE, value, quarter.last)
    return series


def _metric(measure: str, sector: str) -> str:
    return f"{measure}__{sector}__kh03"
