"""Continuous stays: spells of one person put together, and what is said of a stay."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from tests.support.oracle import clock
from tests.support.oracle.figures import Row, kaplan_meier_median, quantile
from tests.support.oracle.records import Record, Records

FEED = "apc_spells"
DAY = clock.DAY
FORTNIGHT = 14 * DAY
TRANSFERRED = ("49", "50", "51", "52", "53", "84", "87")
TRANSFER_METHODS = ("2B", "81")
NEVER = dt.datetime.max
AGE_BANDS_AND_ALL_AT = ("nation", "region", "icb", "trust")


@dataclass
class Stay:
    """Spells in order; `merged` are those that rule (c) put to it, and not rule (a)."""

    spells: list[Record]
    merged: list[Record]

    @property
    def first(self) -> Record:
        """The spell that the stay has its admission, provider, site, practice and age band from."""
        return self.spells[0]

    @property
    def last_to_end(self) -> Record:
        """The spell that ends last, open ones never; of several the later."""
        return max(enumerate(self.spells), key=lambda one: (_end(one[1]), one[0]))[1]

    @property
    def admission_date(self) -> dt.date:
        """Local date of admission."""
        day: dt.date = self.first["admission_date"]
        return day

    @property
    def discharge_date(self) -> dt.date | None:
        """Local date of discharge, null while the patient is in hospital."""
        day: dt.date | None = self.last_to_end["discharge_date"]
        return day


def _end(spell: Record) -> dt.datetime:
    return spell["discharge_at"] or NEVER


def stays(records: Records) -> list[Stay]:
    """Every continuous stay; those of one person in order."""
    ordinary = [one for one in records.of(FEED) if one["patient_classification"] == "1"]
    by_person: defaultdict[Any, list[Record]] = defaultdict(list)
    found: list[Stay] = []
    for spell in ordinary:
        if spell["person"] is None:
            found.append(Stay([spell], []))
        else:
            by_person[spell["person"]].append(spell)
    for spells in by_person.values():
        spells.sort(key=lambda one: (one["admission_at"], _end(one), one["provider_code"], one["number"]))
        running: Stay | None = None
        for spell in spells:
            before = running.last_to_end if running else None
            if running is None or before is None or not _goes_on(records, before, spell):
                running = Stay([], [])
                found.append(running)
            elif _is_merged(records, before, spell) and not _overlaps(before, spell):
                running.merged.append(spell)
            running.spells.append(spell)
    return found


def _goes_on(records: Records, before: Record, spell: Record) -> bool:
    return _overlaps(before, spell) or _is_transferred(before, spell) or _is_merged(records, before, spell)


def _overlaps(before: Record, spell: Record) -> bool:
    """Rule (a)."""
    return bool(spell["admission_at"] < _end(before))


def _is_transferred(before: Record, spell: Record) -> bool:
    """Rule (b): on the same day, and one of the two says so."""
    return spell["admission_date"] == before["discharge_date"] and (
        before["discharge_destination"] in TRANSFERRED
        or spell["admission_method"] in TRANSFER_METHODS
        or spell["source_of_admission"] in TRANSFERRED
    )


def _is_merged(records: Records, before: Record, spell: Record) -> bool:
    """Rule (c): a provider took over on the day of admission, and its predecessor closed the spell for it."""
    day = spell["admission_date"]
    return before["discharge_date"] in (day, day - DAY) and records.organisations.takes_over(
        before["provider_code"], spell["provider_code"], day
    )


def length_of_stay(records: Records) -> list[Row]:
    """`length_of_stay`."""
    if FEED not in records.days:
        return []
    horizon = records.days[FEED]
    groups: defaultdict[tuple[Any, ...], list[Stay]] = defaultdict(list)
    for stay in stays(records):
        month = stay.admission_date.replace(day=1)
        places = [
            *records.organisations.places(stay.first["provider_code"], stay.first["site_code"], month),
            ("gp_practice", records.practice(stay.first["person"], stay.admission_date)),
        ]
        is_in_critical_care = any(records.critical_care(spell) for spell in stay.spells)
        for place in places:
            for group in _covid_groups(records, stay, horizon):
                for band in {"all", stay.first["age_band"]}:
                    for use in {"all", "yes" if is_in_critical_care else "no"}:
                        if place[0] in AGE_BANDS_AND_ALL_AT or (band, use) == ("all", "all"):
                            groups[month, place, group, band, use].append(stay)
    return [
        {
            "admission_month": month,
            "org_level": level,
            "org_code": code,
            "covid_group": group,
            "age_band": band,
            "critical_care_use": use,
            **_lengths(found, horizon),
            **records.coverage(FEED, (level, code), month, {stay.first["provider_code"] for stay in found}),
        }
        for (month, (level, code), group, band, use), found in groups.items()
    ]


def _covid_groups(records: Records, stay: Stay, horizon: dt.date) -> list[str]:
    groups = ["all"]
    person = stay.first["person"]
    if records.has_positive(person, stay.admission_date - FORTNIGHT, stay.discharge_date or horizon):
        groups.append("covid_test")
    if any(spell["is_covid_diagnosed"] for spell in stay.spells):
        groups.append("covid_diagnosed")
    return groups


def _lengths(found: list[Stay], horizon: dt.date) -> Row:
    ended = [(stay.discharge_date - stay.admission_date).days for stay in found if stay.discharge_date is not None]
    so_far = [(horizon - stay.admission_date).days for stay in found if stay.discharge_date is None]
    return {
        "stays": len(found),
        "completed_stays": len(ended),
        "lower_quartile_nights": quantile(ended, 0.25),
        "median_nights": quantile(ended, 0.5),
        "upper_quartile_nights": quantile(ended, 0.75),
        "p90_nights": quantile(ended, 0.9),
        "still_in_hospital": len(so_far),
        "still_over_7_nights": sum(1 for nights in so_far if nights > 7),
        "still_over_14_nights": sum(1 for nights in so_far if nights > 14),
        "still_over_21_nights": sum(1 for nights in so_far if nights > 21),
        "km_median_nights": kaplan_meier_median(ended, so_far),
    }
