"""Who is in which bed: the census by hour and at eight in the morning."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from tests.support.oracle import clock
from tests.support.oracle.figures import Row
from tests.support.oracle.layouts import ADULT, NEONATAL, PAEDIATRIC
from tests.support.oracle.places import Place
from tests.support.oracle.records import Record, Records
from tests.support.oracle.stays import FEED, FORTNIGHT, Stay, stays

UNITS = {
    "adult_critical_care": ADULT.split(),
    "paediatric_intensive_care": PAEDIATRIC.split(),
    "neonatal_critical_care": NEONATAL.split(),
}
NOT_ACUTE = {"424", "501", "560", *(str(code) for code in range(700, 728))}


def is_in(spell: Record, instant: dt.datetime) -> bool:
    """Whether the spell's patient is in hospital at an instant."""
    if spell["discharge_at"] is not None and instant >= spell["discharge_at"]:
        return False
    return bool(spell["admission_at"] <= instant)


def bed_types(records: Records, spell: Record, instant: dt.datetime) -> list[str]:
    """What the bed of a spell's patient counts as at an instant."""
    periods = [
        one
        for one in records.critical_care(spell)
        if one["critical_care_start_at"] <= instant
        and (one["critical_care_discharge_at"] is None or instant < one["critical_care_discharge_at"])
    ]
    if periods:
        period = max(periods, key=lambda one: (one["critical_care_start_at"], one["number"]))
        return ["all", *(unit for unit, codes in UNITS.items() if period["critical_care_unit_function"] in codes)]
    return ["all"] if spell["treatment_function_code"] in NOT_ACUTE else ["all", "general_acute"]


def has_covid(records: Records, stay: Stay, instant: dt.datetime) -> bool:
    """Whether the patient of a stay counts as a COVID patient at an instant."""
    return records.has_positive(stay.first["person"], stay.admission_date - FORTNIGHT, clock.local_date(instant))


def _census(
    records: Records, instants: dict[dt.datetime, dt.date], with_practices: bool
) -> dict[tuple[Any, ...], list[tuple[Record, bool]]]:
    """Spells in beds, and whether they are of COVID patients, by instant, place and bed type.

    `instants` have the date of the figure.
    """
    counted: defaultdict[tuple[Any, ...], list[tuple[Record, bool]]] = defaultdict(list)
    for stay in stays(records):
        for spell in stay.spells:
            practice = ("gp_practice", records.practice(spell["person"], spell["admission_date"]))
            for instant, day in instants.items():
                if not is_in(spell, instant):
                    continue
                covid = has_covid(records, stay, instant)
                places = records.organisations.places(spell["provider_code"], spell["site_code"], day)
                for place in [*places, practice] if with_practices else places:
                    for bed_type in bed_types(records, spell, instant):
                        counted[instant, place, bed_type].append((spell, covid))
    return counted


def _beds(records: Records, place: Place, day: dt.date, found: list[tuple[Record, bool]]) -> Row:
    providers = {spell["provider_code"] for spell, _ in found}
    return {
        "occupied_beds": len(found),
        "covid_occupied_beds": sum(covid for _, covid in found),
        **records.coverage(FEED, place, day, providers),
    }


def _first(records: Records) -> dt.datetime | None:
    return min((spell["admission_at"] for spell in records.of(FEED)), default=None)


def occupancy_hourly(records: Records) -> list[Row]:
    """`occupancy_hourly`; hours in which a bed type is empty have no row."""
    first = _first(records)
    if first is None:
        return []
    hours = clock.full_hours(first, clock.end_of(records.days[FEED]))
    counted = _census(records, {hour: clock.local_date(hour) for hour in hours}, with_practices=False)
    return [
        {
            "hour_at": hour,
            "org_level": level,
            "org_code": code,
            "bed_type": bed_type,
            **_beds(records, (level, code), clock.local_date(hour), found),
        }
        for (hour, (level, code), bed_type), found in counted.items()
    ]


def occupancy_daily(records: Records) -> list[Row]:
    """`occupancy_daily` of basis `person_level`, at eight in the morning, and at every level: the practice too."""
    first = _first(records)
    if first is None:
        return []
    day, last = clock.local_date(first), records.days[FEED]
    instants = {}
    while day <= last:
        instants[clock.at(day, 8)] = day
        day += clock.DAY
    return [
        {
            "snapshot_date": instants[instant],
            "org_level": level,
            "org_code": code,
            "bed_type": bed_type,
            "basis": "person_level",
            "open_beds": None,
            "occupancy_rate": None,
            **_beds(records, (level, code), instants[instant], found),
        }
        for (instant, (level, code), bed_type), found in _census(records, instants, with_practices=True).items()
    ]
