"""A&E: waiting times, who is in the department, who came back."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from tests.support.oracle import clock
from tests.support.oracle.figures import Row, quantile, rate
from tests.support.oracle.records import Record, Records

DEPARTMENTS = {"01": "type_1", "02": "type_2", "03": "other", "04": "other"}
FEED = "ecds_attendances"
UNPLANNED = ("1", "2", "3")
A_DAY = 1_440
SEVEN_DAYS = 10_080


def in_scope(records: Records) -> list[Record]:
    """The attendances that A&E marts count."""
    return [
        one
        for one in records.of(FEED)
        if one["ec_attendance_category"] in UNPLANNED and one["ec_department_type"] in DEPARTMENTS
    ]


def minutes(first: dt.datetime, last: dt.datetime | None) -> int | None:
    """Minutes that really passed between two instants."""
    return None if last is None else (last - first) // clock.MINUTE


def decision(attendance: Record) -> dt.datetime | None:
    """The decision to admit, unless it stands before the arrival or after the departure."""
    decided, departed = attendance["ec_decision_to_admit_at"], attendance["ec_departure_at"]
    if decided is None or decided < attendance["arrival_at"]:
        return None
    return None if departed is not None and decided > departed else decided


def waiting_times_daily(records: Records) -> list[Row]:
    """`ae_waiting_times_daily`."""
    groups: defaultdict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for one in in_scope(records):
        day = one["arrival_date"]
        places = [
            *records.organisations.places(one["provider_code"], one["site_code"], day),
            ("gp_practice", records.practice(one["person"], day)),
        ]
        for place in places:
            for department in (DEPARTMENTS[one["ec_department_type"]], "all"):
                groups[day, place, department].append(one)
    rows = []
    for (day, (level, code), department), found in groups.items():
        waits = [wait for one in found if (wait := minutes(one["arrival_at"], one["ec_departure_at"])) is not None]
        over = sum(1 for wait in waits if wait > 240)
        row = {
            "date": day,
            "org_level": level,
            "org_code": code,
            "department_type": department,
            "attendances": len(found),
            "four_hour_attendances": len(waits),
            "over_four_hours": over,
            "within_four_hours_rate": 1 - over / len(waits) if waits else None,
            "over_12_hours_from_arrival": sum(1 for wait in waits if wait > 720),
            "over_12_hours_from_decision_to_admit": sum(1 for one in found if _waited_12_hours_for_a_bed(one)),
        }
        for measure, times in {
            "time_to_assessment": _times_to(found, "ec_initial_assessment_at"),
            "time_to_treatment": _times_to(found, "ec_seen_for_treatment_at"),
            "time_in_department": waits,
        }.items():
            row[f"{measure}_median_minutes"] = quantile(times, 0.5)
            row[f"{measure}_p95_minutes"] = quantile(times, 0.95)
        rows.append(row | records.coverage(FEED, (level, code), day, _providers(found)))
    return rows


def _providers(attendances: list[Record]) -> set[str]:
    return {one["provider_code"] for one in attendances}


def _waited_12_hours_for_a_bed(attendance: Record) -> bool:
    decided, departed = decision(attendance), attendance["ec_departure_at"]
    return decided is not None and departed is not None and (departed - decided) // clock.MINUTE > 720


def _times_to(attendances: list[Record], event: str) -> list[int]:
    times = [minutes(one["arrival_at"], one[event]) for one in attendances]
    return [time for time in times if time is not None and 0 <= time <= A_DAY]


def department_now(records: Records) -> list[Row]:
    """`ae_department_now`; hours without anybody in the department have no row."""
    if FEED not in records.days:
        return []
    horizon = clock.end_of(records.days[FEED])
    groups: defaultdict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for one in in_scope(records):
        arrived = one["arrival_at"]
        left = one["ec_departure_at"] or arrived + A_DAY * clock.MINUTE
        for hour in clock.full_hours(arrived, min(horizon, left)):
            if arrived <= hour < left:
                places = records.organisations.places(one["provider_code"], one["site_code"], clock.local_date(hour))
                for place in places:
                    for department in (DEPARTMENTS[one["ec_department_type"]], "all"):
                        groups[hour, place, department].append(one)
    return [
        {
            "hour_at": hour,
            "org_level": level,
            "org_code": code,
            "department_type": department,
            "is_latest": hour == horizon,
            "patients_in_department": len(found),
            "patients_waiting_for_bed": sum(
                1 for one in found if (decided := decision(one)) is not None and decided <= hour
            ),
            "oldest_wait_minutes": max((hour - one["arrival_at"]) // clock.MINUTE for one in found),
            **records.coverage(FEED, (level, code), clock.local_date(hour), _providers(found)),
        }
        for (hour, (level, code), department), found in groups.items()
    ]


def reattendance_daily(records: Records) -> list[Row]:
    """`reattendance_daily`."""
    known = [one for one in in_scope(records) if one["person"] is not None]

    def order(attendance: Record) -> tuple[Any, ...]:
        return (attendance["arrival_at"], attendance["provider_code"], attendance["number"])

    def lineage(attendance: Record) -> str:
        return records.organisations.lineage(attendance["provider_code"])

    groups: defaultdict[tuple[Any, ...], list[tuple[Record, bool]]] = defaultdict(list)
    for one in known:
        came_back = any(
            before["person"] == one["person"]
            and lineage(before) == lineage(one)
            and order(before) < order(one)
            and 0 <= (one["arrival_at"] - before["arrival_at"]) // clock.MINUTE <= SEVEN_DAYS
            for before in known
        )
        day = one["arrival_date"]
        places = [
            *records.organisations.places(one["provider_code"], one["site_code"], day),
            ("gp_practice", records.practice(one["person"], day)),
        ]
        for place in places:
            groups[day, place].append((one, came_back))
    return [
        {
            "date": day,
            "org_level": level,
            "org_code": code,
            "attendances": len(found),
            "reattendances_within_7_days": sum(came_back for _, came_back in found),
            "reattendance_rate": rate(sum(came_back for _, came_back in found), len(found)),
            **records.coverage(FEED, (level, code), day, _providers([one for one, _ in found])),
        }
        for (day, (level, code)), found in groups.items()
    ]
