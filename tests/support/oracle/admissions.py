"""Admissions, with and for COVID, and where the infection came from."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from typing import Any

from tests.support.oracle import clock
from tests.support.oracle.figures import Row
from tests.support.oracle.records import Record, Records
from tests.support.oracle.stays import FEED, FORTNIGHT, Stay, stays

METHODS = {
    "emergency_admissions": ("21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D"),
    "elective_admissions": ("11", "12", "13"),
    "maternity_admissions": ("31", "32"),
    "other_admissions": ("81", "82", "83", "98", "99"),
}
HCAI = ("hcai_community_onset", "hcai_indeterminate", "hcai_probable", "hcai_definite")
MEASURES = (
    "admissions",
    *METHODS,
    "covid_test_admissions",
    "covid_diagnosed_admissions",
    "covid_primary_admissions",
    "covid_care_home_admissions",
    *HCAI,
)


def admissions_daily(records: Records) -> list[Row]:
    """`admissions_daily`."""
    counts: defaultdict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    providers: defaultdict[tuple[Any, ...], set[str]] = defaultdict(set)

    def count(record: Record, day: dt.date, measures: list[str]) -> None:
        places = [
            *records.organisations.places(record["provider_code"], record["site_code"], day),
            ("gp_practice", records.practice(record["person"], record["admission_date"])),
        ]
        for place in places:
            counts[day, place].update(measures)
            providers[day, place].add(record["provider_code"])

    together = stays(records)
    merged = [(spell["provider_code"], spell["number"]) for stay in together for spell in stay.merged]
    for spell in records.of(FEED):
        is_reset = (spell["provider_code"], spell["number"]) in merged
        if spell["patient_classification"] in ("1", "2") and not is_reset:
            count(spell, spell["admission_date"], _measures(records, spell))
    for person, positives in records.positives().items():
        found = infection(person, positives[0]["specimen_date"], together)
        if found is not None:
            stay, day, measure = found
            count(stay.first, day, [measure])
    return [
        {
            "date": day,
            "org_level": level,
            "org_code": code,
            **{measure: found[measure] for measure in MEASURES},
            **records.coverage(FEED, (level, code), day, providers[day, (level, code)]),
        }
        for (day, (level, code)), found in counts.items()
    ]


def _measures(records: Records, spell: Record) -> list[str]:
    person, day = spell["person"], spell["admission_date"]
    measures = ["admissions"]
    measures += [name for name, methods in METHODS.items() if spell["admission_method"] in methods]
    if records.has_positive(person, day - FORTNIGHT, day):
        measures.append("covid_test_admissions")
        if records.lives_in_care_home(person, day):
            measures.append("covid_care_home_admissions")
    if spell["is_covid_diagnosed"]:
        measures.append("covid_diagnosed_admissions")
    if spell["is_covid_primary"]:
        measures.append("covid_primary_admissions")
    return measures


def infection(person: str, specimen_date: dt.date, together: list[Stay]) -> tuple[Stay, dt.date, str] | None:
    """The stay that a person's first positive belongs to, the day it is counted on and its class; None if unlinked."""
    own = [stay for stay in together if stay.first["person"] == person]
    during = [
        stay
        for stay in own
        if stay.admission_date <= specimen_date
        and (stay.discharge_date is None or specimen_date <= stay.discharge_date)
    ]
    after = [stay for stay in own if 1 <= (stay.admission_date - specimen_date).days <= 14]
    # A person's stays are in order: the first of a list is the earliest.
    linked = [*during, *after][:1]
    if not linked:
        return None
    [stay] = linked
    day = (specimen_date - stay.admission_date) // clock.DAY
    measure = HCAI[0] if day <= 2 else HCAI[1] if day <= 7 else HCAI[2] if day <= 14 else HCAI[3]
    return stay, max(specimen_date, stay.admission_date), measure
