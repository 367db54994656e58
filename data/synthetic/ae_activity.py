"""The truth behind the monthly A&E return: what happened in each department, month by month."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from data.synthetic.england import England
from data.synthetic.events import returns
from data.synthetic.organisations import Organisation
from data.synthetic.publication import Publication, month_end

FEED = "ae_monthly"
DEPARTMENTS = ("type_1", "type_2", "other")
FIELD_TEST_MONTHS = (dt.date(2019, 5, 1), dt.date(2023, 5, 1))
BOOKED_FROM = dt.date(2020, 8, 1)
CLOSED_WALK_IN_CENTRE = "ZY0002"
CLOSED_FROM = dt.date(2020, 4, 1)


@dataclass(frozen=True)
class Season:
    """What one month was like: volume against a usual month, shares over four and twelve hours and booked."""

    month: dt.date
    published: dt.date
    volume: float
    over_four_hours: float
    over_twelve_hours: float
    booked: float


SEASONS = (
    Season(dt.date(2020, 2, 1), dt.date(2020, 3, 1), 1.00, 0.200, 0.0020, 0.0),
    Season(dt.date(2020, 3, 1), dt.date(2020, 4, 1), 0.84, 0.170, 0.0016, 0.0),
    Season(dt.date(2020, 4, 1), dt.date(2020, 5, 1), 0.64, 0.110, 0.0012, 0.0),
    Season(dt.date(2020, 5, 1), dt.date(2020, 6, 1), 0.78, 0.090, 0.0010, 0.0),
    Season(dt.date(2020, 8, 1), dt.date(2020, 9, 1), 0.98, 0.120, 0.0012, 0.004),
    Season(dt.date(2020, 10, 1), dt.date(2020, 11, 1), 0.93, 0.180, 0.0020, 0.007),
    Season(dt.date(2020, 12, 1), dt.date(2021, 1, 1), 0.87, 0.230, 0.0035, 0.012),
    Season(dt.date(2024, 7, 1), dt.date(2024, 8, 1), 1.14, 0.250, 0.0045, 0.020),
)


@dataclass(frozen=True)
class _Usual:
    """A provider in a usual month."""

    attendances: dict[str, int]
    slowness: float
    books: bool
    direct_admissions: int


def ae_publications(england: England, seed: int) -> list[Publication]:
    """One publication a month, oldest first.

    Trusts of the field test measured another standard: what they would have had over four hours is not
    reported from May 2019 to May 2023.
    """
    usual = {
        provider.code: _usual(provider, number, random.Random(f"{seed}:{FEED}:{provider.code}"))
        for number, provider in enumerate(england.ae_providers)
    }
    publications = []
    for season in SEASONS:
        publication = Publication(FEED, season.published)
        for provider in england.ae_providers:
            if provider.code == CLOSED_WALK_IN_CENTRE and season.month >= CLOSED_FROM:
                continue
            if not returns(FEED, provider, season.month):
                continue
            chance = random.Random(f"{seed}:{FEED}:{provider.code}:{season.month}")
            in_test = is_field_test(england, provider.code, season.month)
            last = month_end(season.month)
            for metric_id, value in _month(usual[provider.code], season, chance).items():
                missing = in_test and metric_id.startswith("over_four_hours")
                publication.say(metric_id, season.month, provider.code, None if missing else value, last)
        publications.append(publication)
    return publications


def is_field_test(england: England, org_code: str, month: dt.date) -> bool:
    """Whether that trust was measuring the field test's standard in that month."""
    first, last = FIELD_TEST_MONTHS
    return org_code in england.field_test and first <= month <= last


def _usual(provider: Organisation, number: int, chance: random.Random) -> _Usual:
    type_1 = type_2 = other = direct = 0
    if provider.kind == "acute":
        type_1 = chance.randint(3200, 11800)
        type_2 = chance.randint(200, 1500) if number % 7 == 3 else 0
        other = chance.randint(200, 5000) if number % 5 else 0
        direct = round(type_1 * chance.uniform(0.05, 0.13))
    elif provider.kind == "specialist":
        direct = chance.randint(60, 300)
    elif provider.kind == "community" and number % 2:
        other = chance.randint(800, 6000)
    elif provider.kind == "practice":
        other = chance.randint(60, 900) if number % 6 else 0
    elif provider.kind in ("site", "unlisted"):
        other = chance.randint(300, 3000)
    return _Usual(
        {"type_1": type_1, "type_2": type_2, "other": other},
        chance.uniform(0.6, 1.5),
        provider.kind == "acute" and number % 2 == 0,
        direct,
    )


def _month(usual: _Usual, season: Season, chance: random.Random) -> dict[str, int]:
    breach = {"type_1": 1.0, "type_2": 0.05, "other": 0.03}
    admitted = {"type_1": 0.29, "type_2": 0.03, "other": 0.006}
    values: dict[str, int] = {}
    for department in DEPARTMENTS:
        base = usual.attendances[department] * season.volume
        attendances = round(base * chance.uniform(0.96, 1.04))
        over = _share(attendances, season.over_four_hours * usual.slowness * breach[department], chance)
        values[f"attendances_not_booked__{department}__msitae"] = attendances
        values[f"over_four_hours_not_booked__{department}__msitae"] = over
        values[f"emergency_admissions_via_ae__{department}__msitae"] = _share(attendances, admitted[department], chance)
        if season.month >= BOOKED_FROM:
            booked = _share(attendances, season.booked, chance) if usual.books else 0
            values[f"attendances_booked__{department}__msitae"] = booked
            values[f"over_four_hours_booked__{department}__msitae"] = _share(
                booked, season.over_four_hours * breach[department], chance
            )
    type_1 = values["attendances_not_booked__type_1__msitae"]
    values["waits_dta_4_to_12_hours__all__msitae"] = _share(type_1, season.over_four_hours * 0.28, chance)
    values["waits_dta_over_12_hours__all__msitae"] = _share(type_1, season.over_twelve_hours, chance)
    values["other_emergency_admissions__all__msitae"] = round(
        usual.direct_admissions * (0.4 + 0.6 * season.volume) * chance.uniform(0.95, 1.05)
    )
    return values


def _share(of: int, share: float, chance: random.Random) -> int:
    return min(of, round(of * share * chance.uniform(0.9, 1.1)))
