"""The oracle of the person-level feeds on cases small enough to be seen through, to be believed on large ones."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from random import Random
from typing import Any

import pytest

from tests.support import oracle
from tests.support.oracle import clock, figures, reading
from tests.support.oracle.layouts import LAYOUTS
from tests.support.person_episodes import nhs_number
from tests.support.person_faults import Cells
from tests.support.person_files import written
from tests.support.person_window import WINDOWS

RECEIVED = dt.date(2021, 1, 1)
ATTENDANCE: Cells = {
    **{column.name: "" for column in LAYOUTS["ecds_attendances"].columns},
    "submission_date": "2020-10-26",
    "record_version": "1",
    "update_type": "9",
    "provider_code": "ZA1",
    "site_code": "ZA101",
    "emergency_care_attendance_identifier": "1",
    "nhs_number": "999 000 0018",
    "person_birth_date": "2002-10-25",
    "ec_department_type": "01",
    "ec_attendance_category": "1",
    "arrival_date": "2020-10-25",
    "arrival_time": "00:30",
}
SPELL: Cells = {
    **{column.name: "" for column in LAYOUTS["apc_spells"].columns},
    "submission_date": "2020-04-30",
    "record_version": "1",
    "update_type": "9",
    "provider_code": "ZA1",
    "site_code": "ZA101",
    "nhs_number": nhs_number(1),
    "patient_classification": "1",
    "admission_method": "21",
    "treatment_function_code": "300",
}


def read(feed: str, *rows: Cells | None) -> oracle.Reading:
    """The reading of one file of these rows."""
    return oracle.read(oracle.SuppliedFile("aa", feed, rows), RECEIVED)


def attendance(**cells: str) -> oracle.Reading:
    """The reading of one attendance, that of the night of 25 October 2020 unless told otherwise."""
    return read("ecds_attendances", {**ATTENDANCE, **cells})


@pytest.mark.parametrize(
    ("wall", "offset", "instant"),
    [
        ("2020-03-29 00:59", None, "2020-03-29 00:59"),
        ("2020-03-29 02:00", None, "2020-03-29 01:00"),
        ("2020-03-29 01:30", None, None),
        ("2020-03-29 02:00", "+00:00", None),
        ("2020-10-25 00:30", None, "2020-10-24 23:30"),
        ("2020-10-25 01:00", None, "2020-10-25 00:00"),
        ("2020-10-25 01:59", "+01:00", "2020-10-25 00:59"),
        ("2020-10-25 01:00", "+00:00", "2020-10-25 01:00"),
        ("2020-10-25 02:00", None, "2020-10-25 02:00"),
        ("2020-01-01 12:00", "+01:00", None),
    ],
)
def test_the_clocks_of_london(wall: str, offset: str | None, instant: str | None) -> None:
    def utc() -> dt.datetime:
        return clock.utc(dt.datetime.fromisoformat(wall), offset)

    if instant is None:
        with pytest.raises(clock.LocalTimeInvalid):
            utc()
    else:
        assert utc() == dt.datetime.fromisoformat(instant)


def test_days_of_23_and_25_hours() -> None:
    hours = [
        len(clock.full_hours(clock.at(day), clock.end_of(day))) - 1
        for day in (dt.date(2020, 3, 28), dt.date(2020, 3, 29), dt.date(2020, 10, 25))
    ]
    assert hours == [24, 23, 25]


def test_a_doubled_hour_does_not_precede_its_own_start() -> None:
    def departure(arrival: str, time: str) -> dt.datetime:
        cells = {"arrival_time": arrival, "ec_departure_date": "2020-10-25", "ec_departure_time": time}
        [row] = attendance(**cells).accepted
        found: dt.datetime = row.values["ec_departure_at"]
        return found

    assert departure("00:30", "01:10") == dt.datetime(2020, 10, 25, 0, 10)
    assert departure("01:30", "01:30:59") == dt.datetime(2020, 10, 25, 0, 30)
    assert departure("01:30", "01:10") == dt.datetime(2020, 10, 25, 1, 10)
    assert departure("01:30+00:00", "01:40") == dt.datetime(2020, 10, 25, 1, 40)
    assert departure("00:30", "02:30") == dt.datetime(2020, 10, 25, 2, 30)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({}, None),
        ({"arrival_date": "2020-02-30"}, "value_not_of_type"),
        ({"arrival_time": ""}, "value_not_of_type"),
        ({"arrival_date": "", "arrival_time": ""}, "required_value_missing"),
        ({"arrival_date": "2020-02-30", "site_code": ""}, "value_not_of_type"),
        ({"site_code": "", "ec_department_type": "09"}, "required_value_missing"),
        ({"ec_department_type": "1"}, "code_not_permitted"),
        ({"nhs_number": "9990000010"}, "nhs_number_invalid"),
        ({"nhs_number": "9434765919"}, "nhs_number_not_test"),
        ({"nhs_number": ""}, None),
        ({"arrival_date": "1900-01-01"}, "sentinel_date"),
        ({"person_birth_date": "1900-01-01"}, None),
        ({"arrival_date": "2020-03-29", "arrival_time": "01:30"}, "local_time_invalid"),
        ({"submission_date": "2020-10-24"}, "date_in_future"),
        ({"submission_date": "2021-01-02"}, "date_in_future"),
        ({"submission_date": "2021-01-02", "update_type": "1"}, "date_in_future"),
        ({"person_birth_date": "2020-10-26"}, "age_implausible"),
        ({"person_birth_date": "1899-10-26"}, None),
        ({"arrival_date": "2020-10-23", "person_birth_date": "1902-10-23"}, None),
        ({"ec_departure_date": "2020-10-25", "ec_departure_time": "00:29"}, "end_before_start"),
        ({"ec_departure_date": "2020-10-25", "ec_departure_time": "00:30"}, None),
        ({"arrival_date": "2020-10-18", "ec_departure_date": "2020-10-25", "ec_departure_time": "00:30"}, None),
        (
            {"arrival_date": "2020-10-18", "ec_departure_date": "2020-10-25", "ec_departure_time": "00:31"},
            "interval_implausible",
        ),
        ({"update_type": "1", "arrival_date": "never", "nhs_number": "1"}, None),
    ],
)
def test_the_first_reason_counts(cells: Cells, reason: str | None) -> None:
    assert attendance(**cells).reasons == Counter([reason] if reason else [])


@pytest.mark.parametrize(
    ("born", "day", "band"),
    [
        ("2002-10-25", "2020-10-25", "18_64"),
        ("2002-10-26", "2020-10-25", "6_17"),
        ("2004-02-29", "2022-02-28", "6_17"),
        ("2004-02-29", "2022-03-01", "18_64"),
        ("1936-02-29", "2020-02-29", "65_84"),
        ("1935-03-01", "2020-03-01", "85_plus"),
        ("2020-03-01", "2020-03-01", "0_5"),
    ],
)
def test_age_bands(born: str, day: str, band: str) -> None:
    assert reading.age_band(dt.date.fromisoformat(born), dt.date.fromisoformat(day)) == band


def test_conflicts_copies_and_too_many_rejects() -> None:
    other = {**ATTENDANCE, "ec_department_type": "02"}
    copy = {**ATTENDANCE, "local_patient_identifier": "x", "nhs_number": "9990000018", "arrival_time": "00:30:40"}
    assert read("ecds_attendances", ATTENDANCE, copy).reasons == Counter()
    assert read("ecds_attendances", ATTENDANCE, copy, other).reasons == Counter(conflicting_version=3)
    assert read("ecds_attendances", ATTENDANCE, {**other, "record_version": "2"}).reasons == Counter()
    wrong = {**ATTENDANCE, "site_code": ""}
    several = [{**ATTENDANCE, "emergency_care_attendance_identifier": str(number)} for number in range(400)]
    assert not read("ecds_attendances", *[wrong] * 20).is_quarantined
    assert not read("ecds_attendances", *[wrong] * 21, *several[:399]).is_quarantined
    assert read("ecds_attendances", *[wrong] * 21, *several[:398]).is_quarantined


@pytest.mark.parametrize(
    ("order", "kept"),
    [
        ([("1", "2020-10-26", "9", "aa"), ("2", "2020-10-26", "9", "ab")], "ab"),
        ([("10", "2020-10-26", "9", "aa"), ("9", "2020-10-28", "9", "ab")], "aa"),
        ([("1", "2020-10-27", "9", "aa"), ("1", "2020-10-26", "9", "ab")], "aa"),
        ([("1", "2020-10-26", "1", "aa"), ("1", "2020-10-26", "9", "ab")], None),
        ([("1", "2020-10-26", "9", "ab"), ("1", "2020-10-26", "9", "aa")], "ab"),
        ([("2", "2020-10-26", "1", "aa"), ("3", "2020-10-26", "9", "ab")], "ab"),
        ([("3", "2020-10-26", "1", "aa"), ("2", "2020-10-26", "9", "ab")], None),
    ],
)
def test_the_latest_version(order: list[tuple[str, str, str, str]], kept: str | None) -> None:
    accepted = []
    for version, submitted, kind, digest in order:
        row = {**ATTENDANCE, "record_version": version, "submission_date": submitted, "update_type": kind}
        accepted += oracle.read(oracle.SuppliedFile(digest, "ecds_attendances", (row,)), RECEIVED).accepted
    for one in (accepted, accepted[::-1]):
        assert [row.batch for row in reading.latest(one).values()] == ([kept] if kept else [])


def test_quantiles_and_survival() -> None:
    assert figures.quantile([10, 20, 30, 40], 0.5) == 25
    assert figures.quantile([10, 20, 30, 40], 0.95) == pytest.approx(38.5)
    assert figures.quantile([7], 0.95) == 7
    assert figures.quantile([], 0.5) is None
    # Of four one ends at 2 (3/4 remain), then of three at risk at 5 one ends (1/2), the censored one at 5 after it.
    assert figures.kaplan_meier_median([2, 5], [5, 9]) == 5
    # The one censored at 3 leaves before anybody of the other two ends: 3/4 * 1/2.
    assert figures.kaplan_meier_median([2, 5], [3, 9]) == 5
    assert figures.kaplan_meier_median([2], [3, 9]) is None
    assert figures.kaplan_meier_median([0], []) == 0


def spells(*told: tuple[str, str, str, dict[str, str]]) -> oracle.Records:
    """Records of one person's spells: provider, admission and discharge (local), what else."""
    rows = []
    for number, (provider, admitted, discharged, more) in enumerate(told):
        cells = {**SPELL, "provider_code": provider, "hospital_provider_spell_number": str(number), **more}
        cells |= dict(zip(("admission_date", "admission_time"), admitted.split(), strict=True))
        if discharged:
            cells |= dict(zip(("discharge_date", "discharge_time"), discharged.split(), strict=True))
        rows.append(cells)
    found = read("apc_spells", *rows)
    assert not found.reasons
    organisations = oracle.Organisations(successions=(oracle.Succession("ZA1", "ZA9", dt.date(2020, 4, 1)),))
    return oracle.records(list(found.accepted), organisations)


TO_ANOTHER: dict[str, str] = {"discharge_destination": "51"}


@pytest.mark.parametrize(
    ("told", "together"),
    [
        ([("ZA1", "2020-03-01 10:00", "2020-03-03 10:00", {}), ("ZA1", "2020-03-03 09:59", "", {})], [2]),
        ([("ZA1", "2020-03-01 10:00", "2020-03-03 10:00", {}), ("ZA1", "2020-03-03 10:00", "", {})], [1, 1]),
        ([("ZA1", "2020-03-01 10:00", "2020-03-03 10:00", TO_ANOTHER), ("ZB1", "2020-03-03 23:59", "", {})], [2]),
        ([("ZA1", "2020-03-01 10:00", "2020-03-03 10:00", TO_ANOTHER), ("ZB1", "2020-03-04 00:00", "", {})], [1, 1]),
        ([("ZA1", "2020-03-01 10:00", "2020-03-31 23:59", {}), ("ZA9", "2020-04-01 00:00", "", {})], [2]),
        ([("ZA1", "2020-03-01 10:00", "2020-03-30 23:59", {}), ("ZA9", "2020-04-01 00:00", "", {})], [1, 1]),
        ([("ZA9", "2020-03-01 10:00", "2020-03-31 23:59", {}), ("ZA1", "2020-04-01 00:00", "", {})], [1, 1]),
        # The first spell ends last, so it is the one that the third is held against.
        (
            [
                ("ZA1", "2020-03-01 10:00", "2020-03-09 10:00", {}),
                ("ZA1", "2020-03-02 10:00", "2020-03-03 10:00", {}),
                ("ZA1", "2020-03-09 09:00", "2020-03-09 12:00", {}),
            ],
            [3],
        ),
    ],
)
def test_continuous_stays(told: list[tuple[str, str, str, dict[str, str]]], together: list[int]) -> None:
    assert [len(stay.spells) for stay in oracle.stays.stays(spells(*told))] == together


def test_a_merger_admits_nobody() -> None:
    told = [("ZA1", "2020-03-01 10:00", "2020-03-31 23:59", TO_ANOTHER), ("ZA9", "2020-04-01 00:00", "", {})]
    [row] = [row for row in oracle.MARTS["admissions_daily"](spells(*told)) if row["org_level"] == "nation"]
    assert (row["date"], row["admissions"], row["emergency_admissions"]) == (dt.date(2020, 3, 1), 1, 1)


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (-15, None),
        (-14, ("hcai_community_onset", 0)),
        (-1, ("hcai_community_onset", 0)),
        (0, ("hcai_community_onset", 0)),
        (2, ("hcai_community_onset", 2)),
        (3, ("hcai_indeterminate", 3)),
        (7, ("hcai_indeterminate", 7)),
        (8, ("hcai_probable", 8)),
        (14, ("hcai_probable", 14)),
        (15, ("hcai_definite", 15)),
        (20, ("hcai_definite", 20)),
        (21, None),
    ],
)
def test_where_an_infection_comes_from(days: int, found: tuple[str, int] | None) -> None:
    admitted = dt.date(2020, 3, 5)
    together = oracle.stays.stays(spells(("ZA1", "2020-03-05 10:00", "2020-03-25 10:00", {})))
    told: Any = oracle.admissions.infection(nhs_number(1), admitted + dt.timedelta(days=days), together)
    assert (told and (told[2], (told[1] - admitted).days)) == found


def test_the_generator_aims_at_every_reason() -> None:
    """A few stores hold every reason, a quarantined file, open and merged stays, double hours and deletions."""
    seen: Counter[str] = Counter()
    for seed in range(12):
        chance = Random(seed)
        lives = [[chance.randrange(2**24) for _ in range(4)] for _ in range(25)]
        store = written(WINDOWS[seed % len(WINDOWS)], lives, seed)
        readings = [oracle.read(sent.file, RECEIVED) for sent in store.files]
        accepted = [row for one in readings for row in one.accepted]
        for one in readings:
            seen.update(one.reasons)
            seen["quarantined"] += one.is_quarantined
        seen["deletions"] += sum(row.is_deletion for row in accepted)
        together = oracle.stays.stays(oracle.records(accepted, store.window.organisations))
        seen["merged"] += sum(bool(stay.merged) for stay in together)
        seen["open"] += sum(stay.discharge_date is None for stay in together)
        seen["several spells"] += sum(len(stay.spells) > 1 for stay in together)
    wanted = {*reading.REASONS, "quarantined", "deletions", "merged", "open", "several spells"}
    assert wanted - {name for name, count in seen.items() if count > 2} == set()
