"""What goes wrong with a record on its way: versions that contradict each other, deletions, values that are none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.support.oracle.clock import DAY
from tests.support.oracle.layouts import LAYOUTS

if TYPE_CHECKING:
    from tests.support.person_episodes import Episode

Cells = dict[str, str]
History = Callable[["Episode", str, Cells], list[Cells]]


def _resubmitted(episode: Episode, feed: str, cells: Cells) -> list[Cells]:
    newer = {**episode.changed(feed, cells), "record_version": "2", "submission_date": episode.later(cells, 6)}
    return [cells, newer]


def _resubmitted_earlier(episode: Episode, feed: str, cells: Cells) -> list[Cells]:
    """The number of the version goes before the day of submission."""
    older = {**episode.changed(feed, cells), "record_version": "9", "submission_date": episode.later(cells, 9)}
    return [{**cells, "record_version": "10"}, older]


def _deleted(episode: Episode, feed: str, cells: Cells) -> list[Cells]:
    version = episode.pick(("1", "2"))
    gone = {**episode.deletion(feed, cells), "record_version": version}
    return [cells, gone | ({"submission_date": episode.later(cells, 2)} if episode.may(0.5) else {})]


def _revived(episode: Episode, feed: str, cells: Cells) -> list[Cells]:
    gone = {**episode.deletion(feed, cells), "record_version": "2"}
    return [cells, gone, {**episode.changed(feed, cells), "record_version": "3"}]


def _deleted_before(episode: Episode, feed: str, cells: Cells) -> list[Cells]:
    """The deletion of an older version, or of a version that is yet to come."""
    gone = {**episode.deletion(feed, cells), "record_version": episode.pick(("1", "3"))}
    return [gone, {**cells, "record_version": "2"}]


def _contradicted(episode: Episode, feed: str, cells: Cells) -> list[Cells]:
    """Two contents of one version: in one file both are refused, in two the greater file counts."""
    return [cells, episode.changed(feed, cells), *([cells] if episode.may(0.3) else [])]


def _contradicted_after(episode: Episode, feed: str, cells: Cells) -> list[Cells]:
    newer = {**cells, "record_version": "2"}
    return [cells, newer, episode.changed(feed, newer)]


def _copied(episode: Episode, feed: str, cells: Cells) -> list[Cells]:
    """Equal in all that is kept."""
    other = dict(cells)
    if "local_patient_identifier" in cells:
        other["local_patient_identifier"] = "another"
    return [cells, other]


def _spoilt(episode: Episode, feed: str, cells: Cells) -> list[Cells]:
    """A wrong row alone, or as a newer version of a right one."""
    wrong = {**cells, "record_version": "2"}
    spoils = [spoil for spoil in SPOILS if spoil(episode, feed, dict(wrong)) is not None]
    for _ in range(episode.pick((1, 1, 2))):
        wrong = episode.pick(tuple(spoils))(episode, feed, wrong) or wrong
    return [wrong] if episode.may(0.5) else [cells, wrong]


HISTORIES: tuple[History, ...] = (
    _resubmitted,
    _resubmitted,
    _resubmitted_earlier,
    _deleted,
    _revived,
    _deleted_before,
    _contradicted,
    _contradicted_after,
    _copied,
    _spoilt,
    _spoilt,
    _spoilt,
)

Spoil = Callable[["Episode", str, Cells], Cells | None]


def _set(column: str, *values: str) -> Spoil:
    """Put one of these into a column where a feed has it."""

    def spoil(episode: Episode, feed: str, cells: Cells) -> Cells | None:
        return {**cells, column: episode.pick(values)} if column in cells else None

    return spoil


def _start(*values: str) -> Spoil:
    """Put one of these dates where a record starts."""

    def spoil(episode: Episode, feed: str, cells: Cells) -> Cells | None:
        return {**cells, f"{LAYOUTS[feed].start}_date": episode.pick(values)}

    return spoil


def _tomorrow(episode: Episode, feed: str, cells: Cells) -> Cells | None:
    """A start on the day after submission."""
    day = dt.date.fromisoformat(cells["submission_date"]) + DAY
    return {**cells, f"{LAYOUTS[feed].start}_date": day.isoformat()}


def _born_tomorrow(episode: Episode, feed: str, cells: Cells) -> Cells | None:
    """Born a day after the record began, or 121 years before it."""
    start = cells[f"{LAYOUTS[feed].start}_date"]
    if "person_birth_date" not in cells or len(start) != 10 or start.endswith("02-29") or start > "2021":
        return None
    try:
        day = dt.date.fromisoformat(start)
    except ValueError:
        return None
    return {**cells, "person_birth_date": episode.pick((day + DAY, day.replace(year=day.year - 121))).isoformat()}


def _ended_before(episode: Episode, feed: str, cells: Cells) -> Cells | None:
    """An end a day before the start, or a departure after more than a week."""
    ends = {"ecds_attendances": "ec_departure", "apc_spells": "discharge", "critical_care_periods": None}
    start = cells[f"{LAYOUTS[feed].start}_date"]
    try:
        day = dt.date.fromisoformat(start)
    except ValueError:
        return None
    end = {**ends, "critical_care_periods": "critical_care_discharge"}.get(feed)
    if end:
        moved = day - DAY if episode.may(0.6) or feed != "ecds_attendances" else day + 8 * DAY
        return {**cells, f"{end}_date": moved.isoformat(), f"{end}_time": cells[f"{LAYOUTS[feed].start}_time"]}
    single = {"gp_registrations": "registration", "care_home_residents": "residency"}.get(feed)
    return {**cells, f"{single}_end_date": (day - DAY).isoformat()} if single else None


def _impossible_hour(episode: Episode, feed: str, cells: Cells) -> Cells | None:
    """The hour that spring leaves out, or an offset that London did not have then."""
    start = LAYOUTS[feed].start
    if f"{start}_time" not in cells:
        return None
    date, time = episode.pick(
        (
            ("2020-03-29", "01:30"),
            ("2020-03-29", "01:00+01:00"),
            ("2020-01-15", "12:00+01:00"),
            ("2019-07-01", "10:00+00:00"),
        )
    )
    return {**cells, f"{start}_date": date, f"{start}_time": time}


def _half_a_pair(episode: Episode, feed: str, cells: Cells) -> Cells | None:
    """A date without its time, or a time without its date."""
    pairs = LAYOUTS[feed].pairs
    if not pairs:
        return None
    name = episode.pick(pairs)
    return {**cells, f"{name}_date": episode.pick(("", "2020-03-20")), f"{name}_time": ""} | (
        {} if episode.may(0.5) else {f"{name}_date": "", f"{name}_time": "10:00"}
    )


SPOILS: tuple[Spoil, ...] = (
    _start("2020-02-30", "01/03/2020", "2020-3-01", "soon"),
    _set("record_version", "0", "-1", "1.5", "first"),
    _set("arrival_time", "24:00", "9:30", "noon", "10:60", "10:00Z", "10:00+02:00"),
    _set("local_patient_identifier", "x" * 21),
    _set("postcode_of_usual_address", "ZZ99 3WZ1"),
    _half_a_pair,
    _start(""),
    _set("provider_code", ""),
    _set("test_result", "", "void"),
    _set("provider_code", "ZA", "ZA1x", "za1", "ZA1001"),
    _set("site_code", "ZA1", "ZA1-1"),
    _set("gp_practice_code", "Z0001"),
    _set("update_type", "2", "0"),
    _set("treatment_function_code", "30", "3OO"),
    _set("discharge_method", "0"),
    _set("pillar", "3"),
    _set("critical_care_unit_function", "99", "1"),
    _set("ec_department_type", "1", "06"),
    _set("nhs_number", "9990000001", "123", "999000000A", "99900 00001"),
    _set("nhs_number", "9434765919", "943 476 5919"),
    _start("1582-10-15", "1800-01-01", "1801-01-01", "1899-12-30", "1900-01-01"),
    _start("9999-12-31"),
    _set("registration_end_date", "9999-12-31"),
    _impossible_hour,
    _tomorrow,
    _set("submission_date", "2031-01-01"),
    _born_tomorrow,
    _ended_before,
)
