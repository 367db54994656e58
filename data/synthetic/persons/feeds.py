"""From what happened to rows of files: each feed's records with their courses, and the text of what is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl

from data.synthetic.persons.chance import Bools, Chance, Ints
from data.synthetic.persons.clock import DAY, NEVER, is_summer, local_day
from data.synthetic.persons.fates import (
    ERRORS,
    REASONS,
    TOO_LONG_DAYS,
    Course,
    Fate,
    Sent,
    courses,
    sent_on,
    sent_until,
    swap_reason,
    swapped,
)
from data.synthetic.persons.layout import COLUMNS, KEYS, Layout, day_text
from data.synthetic.persons.records import Attendances, CriticalCare, Happenings, Spells, Tests, select
from data.synthetic.persons.registers import Periods

VERSIONS = frozenset({Fate.CORRECTED, Fate.DELETED, Fate.REVIVED, Fate.DUPLICATE, Fate.CONFLICT, Fate.BROKEN})
PERSONAL = frozenset({Fate.CHECK_DIGIT, Fate.TOO_OLD, Fate.UNBORN, Fate.BIRTH_SENTINEL})
CODED = frozenset({Fate.UNKNOWN_CODE, Fate.EMPTY_CODE, Fate.SENTINEL, Fate.FUTURE})
TIMED = frozenset({Fate.SWAPPED, Fate.NEGATIVE, Fate.HALF_PAIR, Fate.WRONG_OFFSET})
HARMLESS = frozenset({Fate.CORRECTED, Fate.DUPLICATE, Fate.BIRTH_SENTINEL})
FOREVER = 10_000
# 140 years, which keeps clear of the years that stand for no date.
TOO_OLD_DAYS = 140 * 365


@dataclass(frozen=True)
class Form:
    """One feed: what its errors touch. `start` and `end` are names before `_date` and `_time`."""

    feed: str
    fates: frozenset[Fate]
    start: str
    end: str = ""
    code: str = ""
    unknown: str = ""
    required: str = ""
    longest: int = FOREVER
    missing_numbers: float = 0.0
    has_times: bool = False


_FORMS = (
    Form(
        "ecds_attendances",
        VERSIONS | PERSONAL | CODED | TIMED | {Fate.TOO_LONG},
        start="arrival",
        end="ec_departure",
        code="ec_department_type",
        unknown="1",
        required="ec_attendance_category",
        longest=7,
        missing_numbers=0.015,
        has_times=True,
    ),
    Form(
        "apc_spells",
        VERSIONS | PERSONAL | CODED | TIMED,
        start="admission",
        end="discharge",
        code="admission_method",
        unknown="99X",
        required="treatment_function_code",
        missing_numbers=0.01,
        has_times=True,
    ),
    Form(
        "covid_tests",
        VERSIONS | PERSONAL | CODED,
        start="specimen",
        code="test_result",
        unknown="POS",
        required="test_result",
        missing_numbers=0.04,
    ),
    Form(
        "critical_care_periods",
        VERSIONS | CODED | TIMED,
        start="critical_care_start",
        end="critical_care_discharge",
        code="critical_care_unit_function",
        unknown="99",
        required="hospital_provider_spell_number",
        missing_numbers=0.02,
        has_times=True,
    ),
    Form("gp_registrations", VERSIONS - {Fate.CORRECTED} | PERSONAL, start="registration_start"),
    Form("care_home_residents", VERSIONS - {Fate.CORRECTED} | PERSONAL, start="residency_start"),
    Form("data_opt_outs", frozenset({Fate.DELETED, Fate.REVIVED, Fate.DUPLICATE, Fate.CHECK_DIGIT}), start="opt_out"),
)
FORMS = {form.feed: form for form in _FORMS}


@dataclass
class Batch:
    """Rows for one file: text in the order of the file, and what the generator knows of each row."""

    text: pl.DataFrame
    broken: list[bytes]
    sent: Sent
    records: Any
    reasons: np.ndarray


@dataclass
class Stream:
    """Records of one feed with their courses, and how they become text."""

    form: Form
    records: Any
    course: Course
    write: Callable[[Any, Sent], pl.DataFrame]

    def until(self, cut: int) -> Batch:
        """Rows of the back-file of that day."""
        chance = Chance(0, "older")
        return self._batch(sent_until(self.course, cut, chance.happens("older", self.records.id, 0.3)))

    def on(self, day: int) -> Batch:
        """Rows of that day's file."""
        return self._batch(sent_on(self.course, day))

    def known(self, day: int) -> tuple[Any, Sent]:
        """The truth: of every record its accepted version at the end of that day; what is deleted is not there."""
        sent = sent_until(self.course, day, np.zeros(len(self.records.id), dtype=bool))
        rows = sent.is_latest & ~sent.is_deletion & ~np.isin(sent.fate, [int(fate) for fate in ERRORS])
        kept = select_sent(sent, rows)
        return self._worded(kept), kept

    def _batch(self, sent: Sent) -> Batch:
        records = self._worded(sent)
        records, sent = _spoiled(self.form, records, sent)
        text = self.write(records, sent)
        reasons = np.full(len(sent.row), "", dtype=object)
        special = (sent.fate >= Fate.DUPLICATE) | sent.is_deletion
        broken: list[bytes] = []
        if special.any():
            rows = np.flatnonzero(special)
            marked = text[rows].with_columns(
                pl.Series("fate", sent.fate[rows]),
                pl.Series("deletion", sent.is_deletion[rows]),
                pl.Series("place", rows),
            )
            spoiled, broken_text = self._marked(marked, records, sent, rows, reasons)
            rest = text.with_columns(pl.Series("place", np.arange(len(text)))).filter(pl.Series(~special))
            columns = list(COLUMNS[self.form.feed])
            text = (
                pl.concat([rest.select(*columns, "place"), spoiled.select(*columns, "place")])
                .sort("place")
                .drop("place")
            )
            broken = broken_text
        return Batch(text, broken, sent, records, reasons)

    def _worded(self, sent: Sent) -> Any:
        """The records as each row tells them: what had not happened by its day is not in it."""
        records = select(self.records, sent.row)
        first = sent.is_first_wording
        if isinstance(records, Attendances):
            records.departure = np.where(
                first & (records.departure != NEVER), records.departure + 23, records.departure
            )
            records.category = np.where(first, (records.category + 1) % 4, records.category)
            for name in ("assessment", "treatment", "decision", "departure"):
                _hide_later(records, name, sent.day)
        elif isinstance(records, Spells):
            records.function = np.where(first, (records.function + 1) % 6, records.function)
            records.diagnosis = np.where(first, 7, records.diagnosis)
            _hide_later(records, "discharge", sent.day)
        elif isinstance(records, CriticalCare):
            records.unit = np.where(first, (records.unit + 1) % 5, records.unit)
            _hide_later(records, "end", sent.day)
        elif isinstance(records, Tests):
            records.result = np.where(first, (records.result + 1) % 3, records.result)
        elif isinstance(records, Periods):
            records.start = np.where(first, records.start - 11, records.start)
        return records

    def _marked(
        self, text: pl.DataFrame, records: Any, sent: Sent, rows: Ints, reasons: np.ndarray
    ) -> tuple[pl.DataFrame, list[bytes]]:
        """Deletions emptied, errors written in; broken rows apart, as bytes."""
        form = self.form
        fate = sent.fate[rows]
        refused = ~sent.is_deletion[rows]
        for number in np.flatnonzero(refused).tolist():
            kind = Fate(int(fate[number]))
            if kind in REASONS:
                reasons[rows[number]] = REASONS[kind]
            elif kind == Fate.SWAPPED:
                start, end = _days(records, int(rows[number]))
                reasons[rows[number]] = swap_reason(start, end, form.longest)

        def when(kind: Fate, column: str, value: pl.Expr) -> pl.Expr:
            return (
                pl.when((pl.col("fate") == int(kind)) & ~pl.col("deletion"))
                .then(value)
                .otherwise(pl.col(column))
                .alias(column)
            )

        def put(kind: Fate, column: str, value: pl.Expr) -> None:
            nonlocal text
            if kind in form.fates:
                text = text.with_columns(when(kind, column, value))

        number = pl.col("nhs_number").str.replace_all(" ", "") if "nhs_number" in text.columns else pl.lit(None)
        put(
            Fate.CHECK_DIGIT,
            "nhs_number",
            number.str.slice(0, 9) + ((number.str.slice(9).cast(pl.Int64) + 1) % 10).cast(pl.String),
        )
        start = f"{form.start}_date"
        put(Fate.SENTINEL, start, pl.lit("1900-01-01"))
        put(Fate.BIRTH_SENTINEL, "person_birth_date", pl.lit("1800-01-01"))
        if form.has_times:
            put(Fate.HALF_PAIR, f"{form.end}_time", pl.lit(None, dtype=pl.String))
            offset = np.where(is_summer(_start(records)[rows]), "+00:00", "+01:00")
            text = text.with_columns(pl.Series("offset", offset.tolist(), dtype=pl.String))
            put(
                Fate.WRONG_OFFSET, f"{form.start}_time", pl.col(f"{form.start}_time").str.slice(0, 5) + pl.col("offset")
            )
            swaps = [
                swapped(_days(records, int(row))[0])[0] if kind == Fate.SWAPPED else None
                for row, kind in zip(rows, fate, strict=True)
            ]
            text = text.with_columns(pl.Series("swap", swaps, dtype=pl.String))
            put(Fate.SWAPPED, start, pl.col("swap"))
            # Bare, since the offset of the true day may be wrong on the other.
            put(Fate.SWAPPED, f"{form.start}_time", pl.col(f"{form.start}_time").str.slice(0, 5))
        if form.code:
            put(Fate.UNKNOWN_CODE, form.code, pl.lit(form.unknown))
            put(Fate.EMPTY_CODE, form.required, pl.lit(None, dtype=pl.String))
        if Fate.UNBORN in form.fates:
            day = _first_day(records)[rows]
            text = text.with_columns(
                pl.Series("unborn", day_text(day + 30)), pl.Series("old", day_text(day - TOO_OLD_DAYS))
            )
            put(Fate.UNBORN, "person_birth_date", pl.col("unborn"))
            put(Fate.TOO_OLD, "person_birth_date", pl.col("old"))
        keep = {*COLUMNS[form.feed][:3], *KEYS[form.feed], "fate", "deletion", "place"}
        text = text.with_columns(
            [
                pl.when(pl.col("deletion")).then(pl.lit(None, dtype=pl.String)).otherwise(pl.col(column)).alias(column)
                for column in COLUMNS[form.feed]
                if column not in keep
            ]
        )
        is_broken = (pl.col("fate") == int(Fate.BROKEN)) & ~pl.col("deletion")
        broken = [
            _broken_line(row[:-1], int(records.id[row[-1]] // 16))
            for row in text.filter(is_broken).select(*COLUMNS[form.feed], "place").rows()
        ]
        return text.filter(~is_broken), broken


def _broken_line(row: tuple[str | None, ...], number: int) -> bytes:
    """A field too many, half of the fields, or a byte that is no UTF-8."""
    cells = [(value or "").replace(",", " ").replace('"', "") for value in row]
    if number % 3 == 0:
        return ",".join([*cells, "surplus"]).encode() + b"\n"
    if number % 3 == 1:
        return ",".join(cells[: len(cells) // 2]).encode() + b"\n"
    place = len(cells) - 2
    return b",".join(cell.encode() + (b"\xff\xfe" if at == place else b"") for at, cell in enumerate(cells)) + b"\n"


def _hide_later(records: Any, name: str, day: Ints) -> None:
    at = getattr(records, name)
    setattr(records, name, np.where(local_day(at) > day, NEVER, at))


def _start(records: Any) -> Ints:
    if isinstance(records, Attendances):
        return records.arrival
    return records.admission if isinstance(records, Spells) else records.start


def _first_day(records: Any) -> Ints:
    if isinstance(records, Tests):
        return records.specimen_day
    return records.start if isinstance(records, Periods) else local_day(_start(records))


def _days(records: Any, row: int) -> tuple[int, int]:
    """First and last local day of one record."""
    if isinstance(records, Attendances):
        end = records.departure[row]
    else:
        end = records.discharge[row] if isinstance(records, Spells) else records.end[row]
    return int(local_day(_start(records)[row : row + 1])[0]), int(local_day(np.array([end]))[0])


def _spoiled(form: Form, records: Any, sent: Sent) -> tuple[Any, Sent]:
    """Errors that are a matter of instants, not of text."""
    fate = sent.fate
    if isinstance(records, Attendances):
        records.departure = np.where(fate == Fate.NEGATIVE, records.arrival - 35, records.departure)
        records.departure = np.where(fate == Fate.TOO_LONG, records.arrival + TOO_LONG_DAYS * DAY, records.departure)
        sent.day = np.where(fate == Fate.TOO_LONG, sent.day + TOO_LONG_DAYS + 1, sent.day)
        records.arrival = np.where(fate == Fate.FUTURE, records.arrival + 40 * DAY, records.arrival)
    elif isinstance(records, Spells):
        records.discharge = np.where(fate == Fate.NEGATIVE, records.admission - 95, records.discharge)
        records.admission = np.where(fate == Fate.FUTURE, records.admission + 400 * DAY, records.admission)
    elif isinstance(records, CriticalCare):
        records.end = np.where(fate == Fate.NEGATIVE, records.start - 95, records.end)
        records.start = np.where(fate == Fate.FUTURE, records.start + 400 * DAY, records.start)
    elif isinstance(records, Tests):
        records.specimen_day = np.where(fate == Fate.FUTURE, records.specimen_day + 40, records.specimen_day)
    return records, sent


def select_sent(sent: Sent, rows: Bools) -> Sent:
    """Some of the rows."""
    return Sent(*(getattr(sent, field.name)[rows] for field in fields(Sent)))


class Feeds:
    """Makes streams out of what happened."""

    def __init__(self, layout: Layout, cut: int, first: int) -> None:
        self.layout, self.cut, self.first = layout, cut, first
        self.seed = layout.people.seed

    def of(self, happened: Happenings) -> dict[str, Stream]:
        """The streams of the four feeds of events."""
        a, s, c, t = happened.attendances, happened.spells, happened.critical_care, happened.tests
        layout = self.layout
        return {
            "ecds_attendances": self._stream(
                "ecds_attendances", a, local_day(a.arrival), local_day(a.departure), layout.attendances
            ),
            "apc_spells": self._stream("apc_spells", s, local_day(s.admission), local_day(s.discharge), layout.spells),
            "critical_care_periods": self._stream(
                "critical_care_periods", c, local_day(c.start), local_day(c.end), layout.critical_care
            ),
            "covid_tests": self.tests(t),
        }

    def mirrored(self, attendances: Attendances | None, spells: Spells | None) -> list[Stream]:
        """The records that must come to the figures of a return: corrected or sent twice, but none refused."""
        a, s, layout = attendances, spells, self.layout
        found = []
        if a is not None:
            days = local_day(a.arrival), local_day(a.departure)
            found.append(self._stream("ecds_attendances", a, *days, layout.attendances, HARMLESS))
        if s is not None:
            days = local_day(s.admission), local_day(s.discharge)
            found.append(self._stream("apc_spells", s, *days, layout.spells, HARMLESS))
        return found

    def tests(self, tests: Tests) -> Stream:
        """Specimens alone. They are sent when they are reported."""
        return self._stream("covid_tests", tests, tests.report_day, np.full(len(tests.id), NEVER), self.layout.tests)

    def register(self, feed: str, periods: Periods, write: Callable[[Any, Sent], pl.DataFrame]) -> Stream:
        """A list of people: each row is sent three days after its start, those of long ago on the first day."""
        day = np.where(periods.start > self.cut, periods.start, np.clip(periods.start + 3, self.first, self.cut))
        return self._stream(feed, periods, day, np.full(len(day), NEVER), write)

    def _stream(
        self,
        feed: str,
        records: Any,
        start: Ints,
        end: Ints,
        write: Callable[[Any, Sent], pl.DataFrame],
        allowed: frozenset[Fate] | None = None,
    ) -> Stream:
        form = FORMS[feed]
        has_number = self.layout.has_number(records.person, records.id, form.missing_numbers)
        course = courses(
            Chance(self.seed, f"fates of {feed}"),
            records.id,
            start,
            end,
            self.cut,
            allowed or form.fates,
            has_number,
            form.longest,
        )
        return Stream(form, records, course, write)
