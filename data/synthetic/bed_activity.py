"""The truth behind the daily COVID-19 return: admissions and beds by provider and day, in three issues.

The state of the world is invented once; each issue is that state as it was known then. The first misses and
misstates a few figures that the next corrects, the lagged admissions of each one's last five days are low,
and the second has lost one provider's row on one sheet.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from dataclasses import dataclass
from itertools import pairwise

from data.synthetic.england import England
from data.synthetic.events import SITES_OF_SPLIT, returns
from data.synthetic.organisations import Organisation
from data.synthetic.publication import PROVISIONAL, Publication, Value

FEED = "covid_hospital_activity"
ADMISSIONS = "admissions_and_diagnoses__all__covid_sitrep"
NEW_CASES = "new_hospital_cases__all__covid_sitrep"
COMMUNITY = "community_admissions__all__covid_sitrep"
LAGGED = "community_admissions_lagged__all__covid_sitrep"
CARE_HOME = "care_home_admissions__all__covid_sitrep"
ALL_BEDS = "covid_occupied_beds__all__covid_sitrep"
VENTILATED = "covid_occupied_beds__mechanical_ventilation__covid_sitrep"
ADMISSION_METRICS = (ADMISSIONS, NEW_CASES, COMMUNITY, LAGGED, CARE_HOME)
BED_TYPES = ("general_acute", "adult_critical_care")
PARTS = ("covid_occupied_beds", "non_covid_occupied_beds", "unoccupied_beds")
NON_COVID_PART = "unoccupied_beds_non_covid"

ADMISSIONS_BEGIN = dt.date(2020, 11, 15)
BED_TYPES_BEGIN = dt.date(2020, 11, 17)
NON_COVID_PART_BEGINS = dt.date(2021, 1, 13)
LAG_DAYS = 5

# England's epidemic against mid-November: day, and how large it was.
_WAVE = (
    (dt.date(2020, 11, 1), 0.95),
    (dt.date(2020, 11, 15), 1.00),
    (dt.date(2020, 12, 3), 0.86),
    (dt.date(2020, 12, 16), 1.08),
    (dt.date(2021, 1, 1), 1.70),
    (dt.date(2021, 1, 19), 2.30),
)


@dataclass(frozen=True)
class Issue:
    """One weekly issue: published on a Thursday, from `begins`; admissions to Sunday, beds to Tuesday."""

    published: dt.date
    begins: dt.date

    def days(self, metric_id: str) -> list[dt.date]:
        """The days that the issue's sheet of that metric covers; none when the sheet does not exist yet."""
        last = self.published - dt.timedelta(days=4 if metric_id in ADMISSION_METRICS else 2)
        first = max(self.begins, metric_begins(metric_id))
        return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


ISSUES = (
    Issue(dt.date(2020, 12, 10), ADMISSIONS_BEGIN),
    Issue(dt.date(2020, 12, 17), ADMISSIONS_BEGIN),
    Issue(dt.date(2021, 1, 21), dt.date(2020, 12, 1)),
)


@dataclass(frozen=True)
class Restatement:
    """A figure that the first `issues` issues print differently: by `change`, or not at all (None)."""

    metric_id: str
    org_code: str
    day: dt.date
    issues: int
    change: int | None


RESTATEMENTS = (
    Restatement(ADMISSIONS, "ZA1", dt.date(2020, 11, 29), 1, -2),
    Restatement(ADMISSIONS, "ZA7", dt.date(2020, 12, 1), 1, 3),
    Restatement(ADMISSIONS, "ZB0", dt.date(2020, 12, 4), 1, None),
    Restatement(ALL_BEDS, "ZB0", dt.date(2020, 12, 4), 1, None),
    Restatement(ALL_BEDS, "ZC5", dt.date(2020, 12, 2), 1, 4),
    Restatement("covid_occupied_beds__general_acute__covid_sitrep", "ZC5", dt.date(2020, 12, 2), 1, 4),
    Restatement("unoccupied_beds__adult_critical_care__covid_sitrep", "ZA4", dt.date(2020, 12, 8), 1, 2),
    Restatement(CARE_HOME, "ZB2", dt.date(2020, 12, 10), 2, 1),
    Restatement(VENTILATED, "ZA2", dt.date(2020, 12, 14), 2, 1),
)
DROPPED_ROW = (CARE_HOME, "ZS009")
DROPPED_FROM = 1

# COVID-19 part not reported while the other parts were.
PART_MISSING = ("ZC2", "covid_occupied_beds__general_acute__covid_sitrep")
PART_MISSING_DAYS = tuple(
    [dt.date(2020, 11, day) for day in (20, 21, 22, 23)]
    + [dt.date(2020, 12, day) for day in (3, 4)]
    + [dt.date(2021, 1, 5)]
)
SILENT_TRUST = "ZB4"
SILENT_TRUST_DAYS = tuple(dt.date(2020, 11, day) for day in (24, 25, 26))
LATE_STARTERS = ("ZS005", "ZS012")
LATE_START = dt.date(2020, 11, 25)
NEVER_MISSING = (NEW_CASES, COMMUNITY, LAGGED, CARE_HOME)
# Sheets that can show a missing figure have no row for these two.
ONLY_IN_NEVER_MISSING = ("ZS020", "ZS021")
BED_TYPE_SITES = ("ZS001", *SITES_OF_SPLIT)

Days = dict[dt.date, Value]


def metric_begins(metric_id: str) -> dt.date:
    """First day for which the metric was collected in the synthetic England."""
    if metric_id.startswith(NON_COVID_PART):
        return NON_COVID_PART_BEGINS
    return BED_TYPES_BEGIN if metric_id.split("__")[1] in BED_TYPES else ADMISSIONS_BEGIN


def sitrep_metrics() -> tuple[str, ...]:
    """Every base metric of the return."""
    parts = tuple(f"{part}__{bed_type}__covid_sitrep" for bed_type in BED_TYPES for part in (*PARTS, NON_COVID_PART))
    return (*ADMISSION_METRICS, ALL_BEDS, VENTILATED, *parts)


def bed_publications(england: England, seed: int) -> list[Publication]:
    """The three issues, oldest first."""
    providers = england.sitrep_providers
    world = {
        provider.code: _provider(provider, random.Random(f"{seed}:{FEED}:{provider.code}")) for provider in providers
    }
    return [_as_issued(providers, world, issue, number) for number, issue in enumerate(ISSUES)]


def _as_issued(
    providers: tuple[Organisation, ...], world: dict[str, dict[str, Days]], issue: Issue, number: int
) -> Publication:
    restated = {(r.metric_id, r.org_code, r.day): r for r in RESTATEMENTS if number < r.issues}
    publication = Publication(FEED, issue.published)
    for metric_id in sitrep_metrics():
        days = issue.days(metric_id)
        for provider in providers:
            org_code, metrics = provider.code, world[provider.code]
            # An organisation has a row when it made a return on any day of the sheet.
            if metric_id not in metrics or not any(returns(FEED, provider, day) for day in days):
                continue
            if (metric_id, org_code) == DROPPED_ROW and number >= DROPPED_FROM:
                continue
            for day in days:
                value = metrics[metric_id][day]
                restatement = restated.get((metric_id, org_code, day))
                if restatement and value is not None:
                    change = restatement.change
                    value = None if change is None else max(0, value + change)
                lagging = metric_id == LAGGED and day > days[-1] - dt.timedelta(days=LAG_DAYS)
                if lagging and value is not None:
                    value = math.floor(value * 0.8)
                publication.say(metric_id, day, org_code, value, status=PROVISIONAL if lagging else None)
    return publication


def _provider(provider: Organisation, chance: random.Random) -> dict[str, Days]:
    """What happened at one provider on every day, by metric."""
    metrics: dict[str, Days] = {}
    beds = {bed_type: size for bed_type, size in _sizes(provider, chance).items() if size}
    last = ISSUES[-1].published
    day = ADMISSIONS_BEGIN
    while day <= last:
        for metric_id, value in _day(provider, beds, day, chance).items():
            if day >= metric_begins(metric_id):
                reported = _is_reported(provider, metric_id, day)
                metrics.setdefault(metric_id, {})[day] = value if reported else _unreported(metric_id)
        day += dt.timedelta(days=1)
    if provider.code in ONLY_IN_NEVER_MISSING:
        return {metric_id: metrics[metric_id] for metric_id in NEVER_MISSING}
    return metrics


def _sizes(provider: Organisation, chance: random.Random) -> dict[str, int]:
    if provider.kind == "acute":
        return {"general_acute": chance.randint(280, 900), "adult_critical_care": chance.randint(12, 70)}
    if provider.kind == "specialist" or provider.code in BED_TYPE_SITES:
        return {"general_acute": chance.randint(60, 160), "adult_critical_care": chance.randint(8, 24)}
    return {}


def _day(provider: Organisation, beds: dict[str, int], day: dt.date, chance: random.Random) -> dict[str, int]:
    wave = _wave(day)
    values: dict[str, int] = {}
    covid = {"general_acute": 0, "adult_critical_care": 0}
    shares = {"general_acute": (0.11, 0.80, 0.09), "adult_critical_care": (0.17, 0.58, 0.10)}
    for bed_type, size in beds.items():
        rises, usual, gives_way = shares[bed_type]
        covid[bed_type] = round(size * rises * wave * chance.uniform(0.93, 1.07))
        other = round(size * (usual - gives_way * wave) * chance.uniform(0.96, 1.04))
        unoccupied = max(1, size - covid[bed_type] - other)
        for part, value in zip(PARTS, (covid[bed_type], other, unoccupied), strict=True):
            values[f"{part}__{bed_type}__covid_sitrep"] = value
        values[f"{NON_COVID_PART}__{bed_type}__covid_sitrep"] = round(unoccupied * chance.uniform(0.4, 0.8))
    elsewhere = chance.randint(0, 5) if provider.kind != "site" else chance.randint(0, 1)
    all_beds = sum(covid.values()) + elsewhere
    admissions = round(all_beds * 0.11 * chance.uniform(0.8, 1.2))
    new_cases = math.floor(admissions * 0.96)
    values[ADMISSIONS] = admissions
    values[NEW_CASES] = new_cases
    values[COMMUNITY] = round(new_cases * 0.70)
    values[LAGGED] = round(new_cases * 0.74)
    values[CARE_HOME] = round(admissions * 0.07)
    values[ALL_BEDS] = all_beds
    values[VENTILATED] = round(covid["adult_critical_care"] * 0.75)
    return values


def _is_reported(provider: Organisation, metric_id: str, day: dt.date) -> bool:
    if not returns(FEED, provider, day):
        return False
    if provider.code == SILENT_TRUST and day in SILENT_TRUST_DAYS:
        return False
    if provider.code in LATE_STARTERS and day < LATE_START:
        return False
    return not ((provider.code, metric_id) == PART_MISSING and day in PART_MISSING_DAYS)


def _unreported(metric_id: str) -> Value:
    """Derived sheets are filled with zeros where the return was missing; the others leave the cell empty."""
    return 0 if metric_id in NEVER_MISSING else None


def _wave(day: dt.date) -> float:
    for (start, low), (end, high) in pairwise(_WAVE):
        if start <= day <= end:
            return low + (high - low) * ((day - start).days / (end - start).days)
    return _WAVE[-1][1]
