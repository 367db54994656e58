"""Files of person-level feeds read row by row: what each row becomes, or the first reason for which it is rejected."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.support.oracle import clock
from tests.support.oracle.layouts import LAYOUTS, Column, Layout

REASONS = (
    "row_unparsable",
    "value_not_of_type",
    "required_value_missing",
    "code_not_permitted",
    "nhs_number_invalid",
    "nhs_number_not_test",
    "sentinel_date",
    "local_time_invalid",
    "date_in_future",
    "age_implausible",
    "end_before_start",
    "interval_implausible",
    "conflicting_version",
)
SENTINEL_YEARS = {1582, 1800, 1801, 1899, 1900, 9999}
SEVEN_DAYS = dt.timedelta(minutes=10_080)

Cells = dict[str, str]


@dataclass(frozen=True)
class SuppliedFile:
    """A file as sent: SHA-256 of its bytes as hex, feed, and its rows as text by column; None is no row at all."""

    digest: str
    feed: str
    rows: tuple[Cells | None, ...]


@dataclass(frozen=True)
class Accepted:
    """An accepted version of a record. `key` is organisation and number as sent; `values` the kept columns."""

    feed: str
    batch: str
    row_number: int
    key: tuple[str, ...]
    record_version: int
    submission_date: dt.date
    is_deletion: bool
    values: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Reading:
    """What became of a file: `reasons` counts its rejected rows; a quarantined file has no accepted row."""

    file: SuppliedFile
    is_quarantined: bool
    accepted: tuple[Accepted, ...]
    reasons: Counter[str]


class Rejected(Exception):
    """A row that is rejected, for the reason that is its text."""


def read(file: SuppliedFile, received_on: dt.date, is_demonstration: bool = True) -> Reading:
    """Read a file. Row numbers begin at 1."""
    layout = LAYOUTS[file.feed]
    passed: list[Accepted] = []
    reasons: Counter[str] = Counter()
    for number, cells in enumerate(file.rows, start=1):
        try:
            passed.append(_row(layout, file.digest, number, cells, received_on, is_demonstration))
        except Rejected as rejected:
            reasons[str(rejected)] += 1
    accepted = []
    for row in passed:
        if any(_conflict(row, other) for other in passed):
            reasons["conflicting_version"] += 1
        else:
            accepted.append(row)
    rejected_rows = sum(reasons.values())
    is_quarantined = rejected_rows > 20 and rejected_rows * 100 > 5 * len(file.rows)
    return Reading(file, is_quarantined, () if is_quarantined else tuple(accepted), reasons)


def _conflict(one: Accepted, other: Accepted) -> bool:
    """Whether two rows of one file say different things as the same version."""

    def version(row: Accepted) -> tuple[Any, ...]:
        return (row.key, row.record_version, row.submission_date, row.is_deletion)

    return version(one) == version(other) and one.values != other.values


def _row(
    layout: Layout, digest: str, number: int, sent: Cells | None, received_on: dt.date, is_demonstration: bool
) -> Accepted:
    if sent is None:
        raise Rejected("row_unparsable")
    cells = {name: value.strip(" ") or None for name, value in sent.items()}
    is_deletion = cells["update_type"] == "1"
    # Of a deletion only the version and the key are looked at.
    checked = [
        column
        for column in layout.columns
        if not is_deletion or column.key or column.name in ("submission_date", "record_version", "update_type")
    ]
    typed = _typed(checked, cells)
    if not is_deletion:
        _pairs_are_whole(layout, cells)
    for column in checked:
        if column.required and cells[column.name] is None:
            raise Rejected("required_value_missing")
    for column in checked:
        _code_is_permitted(column, cells[column.name])
    nhs_number = None
    if any(column.name == "nhs_number" for column in checked):
        nhs_number = _nhs_number(cells["nhs_number"], is_demonstration)
    key = tuple(
        str(nhs_number if column.kind == "nhs_number" else cells[column.name])
        for column in layout.columns
        if column.key
    )
    submitted: dt.date = typed["submission_date"]
    if is_deletion:
        if submitted > received_on:
            raise Rejected("date_in_future")
        return Accepted(layout.feed, digest, number, key, typed["record_version"], submitted, True)
    times = _times(layout, checked, typed, submitted, received_on)
    start_date = typed[f"{layout.start}_date"]
    birth_date = typed.get("person_birth_date")
    if birth_date is not None and birth_date.year in SENTINEL_YEARS:
        birth_date = None
    if birth_date is not None and (birth_date > start_date or age(birth_date, start_date) > 120):
        raise Rejected("age_implausible")
    _ends_follow(layout, typed, times)
    values = {name: cells[name] for name in layout.kept} | times
    if any(column.name == "person_birth_date" for column in layout.columns):
        values |= {
            "nhs_number": nhs_number,
            "age_band": age_band(birth_date, start_date),
            "area_code": outward(cells["postcode_of_usual_address"]),
        }
    if layout.feed == "data_opt_outs":
        values["nhs_number"] = nhs_number
    if layout.feed == "apc_spells":
        codes = diagnoses(cells["der_diagnosis_all"])
        values["is_covid_diagnosed"] = any(is_covid(one) for one in codes)
        values["is_covid_primary"] = bool(codes) and is_covid(codes[0])
    return Accepted(layout.feed, digest, number, key, typed["record_version"], submitted, False, values)


def _typed(checked: list[Column], cells: dict[str, str | None]) -> dict[str, Any]:
    """The cells as dates, times and numbers."""
    typed: dict[str, Any] = {}
    for column in checked:
        cell = cells[column.name]
        if cell is None:
            typed[column.name] = None
        elif column.kind in ("date", "birth_date"):
            typed[column.name] = _date(cell)
        elif column.kind == "time":
            typed[column.name] = _time(cell)
        elif column.kind == "number":
            typed[column.name] = _version_number(cell)
        elif column.longest is not None and len(cell) > column.longest:
            raise Rejected("value_not_of_type")
    return typed


def _date(cell: str) -> dt.date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
        raise Rejected("value_not_of_type")
    try:
        return dt.date.fromisoformat(cell)
    except ValueError:
        raise Rejected("value_not_of_type") from None


def _time(cell: str) -> tuple[dt.time, str | None]:
    """A time to the minute, and its offset if it has one."""
    found = re.fullmatch(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?(\+00:00|\+01:00)?", cell)
    if not found:
        raise Rejected("value_not_of_type")
    try:
        time = dt.time(int(found[1]), int(found[2]), int(found[3] or 0))
    except ValueError:
        raise Rejected("value_not_of_type") from None
    return time.replace(second=0), found[4]


def _version_number(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", cell) or int(cell) < 1:
        raise Rejected("value_not_of_type")
    return int(cell)


def _pairs_are_whole(layout: Layout, cells: dict[str, str | None]) -> None:
    for name in layout.pairs:
        if (cells[f"{name}_date"] is None) != (cells[f"{name}_time"] is None):
            raise Rejected("value_not_of_type")


def _code_is_permitted(column: Column, cell: str | None) -> None:
    if cell is None:
        return
    if column.codes and cell not in column.codes:
        raise Rejected("code_not_permitted")
    if column.pattern and not re.fullmatch(column.pattern, cell):
        raise Rejected("code_not_permitted")


def _nhs_number(cell: str | None, is_demonstration: bool) -> str | None:
    if cell is None:
        return None
    digits = cell.replace(" ", "")
    if not re.fullmatch(r"[0-9]{10}", digits) or not passes_modulus_11(digits):
        raise Rejected("nhs_number_invalid")
    if is_demonstration and not digits.startswith("999"):
        raise Rejected("nhs_number_not_test")
    return digits


def passes_modulus_11(digits: str) -> bool:
    """Whether the tenth digit is the check digit of the nine before it."""
    return check_digit(digits[:9]) == int(digits[9])


def check_digit(nine: str) -> int:
    """11 less the weighted sum modulo 11, weights 10 to 2; 11 is written 0, and 10 is no digit."""
    rest = 11 - sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), nine, strict=True)) % 11
    return 0 if rest == 11 else rest


def _times(
    layout: Layout, checked: list[Column], typed: dict[str, Any], submitted: dt.date, received_on: dt.date
) -> dict[str, Any]:
    """The record's dates and UTC instants, each looked at as an event's."""
    events = [column.name for column in checked if column.kind == "date" and column.name != "submission_date"]
    if any(typed[name] is not None and typed[name].year in SENTINEL_YEARS for name in events):
        raise Rejected("sentinel_date")
    times: dict[str, Any] = {}
    start: dt.datetime | None = None
    for name in layout.pairs:
        day, time = typed[f"{name}_date"], typed[f"{name}_time"]
        instant = None
        if day is not None:
            try:
                instant = clock.utc(dt.datetime.combine(day, time[0]), time[1], start)
            except clock.LocalTimeInvalid:
                raise Rejected("local_time_invalid") from None
        if name == layout.start:
            start = instant
        times[f"{name}_at"] = instant
    for name in events:
        ahead = typed[name] is not None and typed[name] > submitted and name not in layout.may_lie_ahead
        if ahead or submitted > received_on:
            raise Rejected("date_in_future")
    dated = ("arrival", "admission", "discharge", "specimen", "registration_start", "registration_end")
    for name in (*dated, "residency_start", "residency_end", "opt_out"):
        if f"{name}_date" in typed:
            times[f"{name}_date"] = typed[f"{name}_date"]
    return times


def _ends_follow(layout: Layout, typed: dict[str, Any], times: dict[str, Any]) -> None:
    for start, end in layout.ends:
        kind, found = ("at", times) if start in layout.pairs else ("date", typed)
        first, last = found[f"{start}_{kind}"], found[f"{end}_{kind}"]
        if last is not None and last < first:
            raise Rejected("end_before_start")
        if end == "ec_departure" and last is not None and last - first > SEVEN_DAYS:
            raise Rejected("interval_implausible")


def age(birth_date: dt.date, day: dt.date) -> int:
    """Whole years; who is born on 29 February is a year older on 1 March of a common year."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def age_band(birth_date: dt.date | None, day: dt.date) -> str:
    """The band of the age on a day."""
    if birth_date is None:
        return "unknown"
    years = age(birth_date, day)
    bands = ((5, "0_5"), (17, "6_17"), (64, "18_64"), (84, "65_84"))
    return next((band for oldest, band in bands if years <= oldest), "85_plus")


def outward(postcode: str | None) -> str | None:
    """The first part of a postcode: what stands before the space, else all but the last three characters."""
    if postcode is None:
        return None
    return postcode.split(" ")[0] if " " in postcode else postcode[:-3]


def diagnoses(cell: str | None) -> list[str]:
    """The diagnosis codes as they are compared: the first four characters without dot, in capitals."""
    codes = [one.strip(" ").replace(".", "").upper()[:4] for one in (cell or "").split("|")]
    return [one for one in codes if one]


def is_covid(code: str) -> bool:
    """COVID-19, virus identified or not."""
    return code in ("U071", "U072")


def latest(rows: list[Accepted]) -> dict[tuple[str, ...], Accepted]:
    """The latest version of each record of one feed, by key; records whose latest version deletes them are left out."""
    versions: defaultdict[tuple[str, ...], list[Accepted]] = defaultdict(list)
    for row in rows:
        versions[row.key].append(row)

    def order(row: Accepted) -> tuple[Any, ...]:
        return (row.record_version, row.submission_date, row.is_deletion, row.batch, row.row_number)

    newest = {key: max(found, key=order) for key, found in versions.items()}
    return {key: row for key, row in newest.items() if not row.is_deletion}


def horizon(rows: list[Accepted]) -> dt.date | None:
    """The day D of a feed: the greatest submission date over its accepted rows, deletions too."""
    return max((row.submission_date for row in rows), default=None)
