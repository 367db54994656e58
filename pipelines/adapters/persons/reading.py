"""The SQL that reads a person-level file, made from the feed's declaration: one pass, a reason code for every row.

Each layer is a select over the one before, so that DuckDB computes every value once:

    texts     the columns as text, outer spaces cut, empty as null
    typed     days since 1970 (`i_`), minutes of the day (`m_`), the offset that a time states (`z_`)
    clocked   the offset that the clocks of England had (`c_`) and the record's start in UTC minutes (`u_`)
    placed    every other time in UTC minutes
    judged    `reason`: the position of the first code that applies, from 1; null when none does

What leaves it is texts for the keyed hash (`record_text`, `person_text`, `spell_text`) and the columns that are kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipelines.domain.feeds import Feed
from pipelines.domain.persons import london
from pipelines.domain.persons.declaration import (
    AGE_BANDS,
    DELETION,
    UNKNOWN_AGE,
    VERSION_COLUMNS,
    PersonColumn,
    Records,
)
from pipelines.domain.persons.rejecting import (
    LONGEST_LIFE,
    REASONS,
    SENTINEL_YEARS,
    TEST_NUMBERS,
)

SEPARATOR = "chr(31)"
SEPARATOR_TEXT = chr(31)
PERSON = "person"
SPELLS = "apc_spells"


@dataclass(frozen=True)
class Terms:
    """What decides about a row and is no part of the file: the day of receipt, and whether test numbers alone count."""

    received_on: dt.date
    test_numbers_only: bool


def setup() -> list[str]:
    """Statements that a connection runs once: types and macros that the reading SQL uses.

    Strings cost ten times what numbers cost, so that each is looked at once, and by the cheapest test that is exact.
    """
    return [
        f"CREATE TYPE clock_minute AS ENUM ({_texts(f'{h:02}:{m:02}' for h in range(24) for m in range(60))})",
        # Hours ahead of UTC that a time states.
        """CREATE MACRO stated_of(x) AS CASE
            WHEN ends_with(x, '+01:00') THEN 1 WHEN ends_with(x, '+00:00') THEN 0 END""",
        # Minutes since midnight of HH:MM, or HH:MM:SS, with or without an offset: the form is told by its length, so
        # that no cast fails on a good time, for a cast that fails makes a text of its error.
        """CREATE MACRO minute_of(x) AS enum_code(try_cast(CASE
            WHEN strlen(x) = 5 THEN x
            WHEN strlen(x) = 11 AND stated_of(x) IS NOT NULL
                OR strlen(x) = 8 AND substring(x, 6) GLOB ':[0-5][0-9]'
                OR strlen(x) = 14 AND substring(x, 6) GLOB ':[0-5][0-9]+0[01]:00' THEN substring(x, 1, 5)
            END AS clock_minute))::INTEGER""",
        *_clock(),
        """CREATE MACRO area_of(x) AS CASE
            WHEN instr(x, ' ') BETWEEN 3 AND 5 AND x GLOB '[A-Za-z]* [0-9][A-Za-z][A-Za-z]'
                THEN upper(substring(x, 1, instr(x, ' ') - 1))
            WHEN regexp_full_match(upper(replace(x, ' ', '')), '[A-Z0-9]{2,4}[0-9][A-Z]{2}')
                THEN left(upper(replace(x, ' ', '')), length(replace(x, ' ', '')) - 3)
            WHEN regexp_full_match(upper(x), '[A-Z]{1,2}[0-9][A-Z0-9]?') THEN upper(x) END""",
        """CREATE MACRO icd_codes(x) AS list_filter(
            list_transform(string_split(upper(replace(x, '.', '')), '|'), lambda code: left(trim(code), 4)),
            lambda code: code <> '')""",
    ]


def _clock() -> list[str]:
    """Macros of the local clock: `clock_of(d)` the code of a day, `utc_of` the UTC minute of a time on it.

    The code of a day without a change is the hours ahead of UTC. Otherwise it holds those at its start, plus 4 times
    those at its end, plus 16 times the hour at which they change.
    """
    regular = [(date, one) for date, one in london.changes() if date.year >= london.REGULAR_FROM]
    earlier = [(date, one) for date, one in london.changes() if date.year < london.REGULAR_FROM]
    springs, autumns = regular[0::2], regular[1::2]

    def days(changes: Iterable[tuple[dt.date, london.Day]]) -> str:
        return "[" + ", ".join(f"DATE '{date}'" for date, _ in changes) + "]"

    def codes(changes: Iterable[tuple[dt.date, london.Day]]) -> str:
        return "[" + ", ".join(str(one.before + 4 * one.after + 16 * one.changes_at) for _, one in changes) + "]"

    def place_in_year(date: dt.date) -> int:
        return 100 * date.month + date.day

    year = f"(year(d) - {london.REGULAR_FROM - 1})"
    # Of most days the place in the year tells which half it lies in, whatever the year.
    in_year = "(month(d) * 100 + day(d))"
    spring, autumn = ([place_in_year(date) for date, _ in changes] for changes in (springs, autumns))
    last_change = f"list_max(list_filter({days(earlier)}, lambda change: change <= d))"
    at = f"list_position({days(earlier)}, {last_change})"
    before, after, hour = "(c & 3)", "((c >> 2) & 3)", "(c >> 4)"
    return [
        f"""CREATE MACRO changing_clock(d) AS CASE
            WHEN d < {days(springs)}[{year}] OR d > {days(autumns)}[{year}] THEN 0
            WHEN d = {days(springs)}[{year}] THEN {codes(springs)}[{year}]
            WHEN d = {days(autumns)}[{year}] THEN {codes(autumns)}[{year}]
            ELSE 1 END""",
        f"""CREATE MACRO early_clock(d) AS CASE
            WHEN d < DATE '{earlier[0][0]}' OR year(d) > {london.LAST_YEAR} THEN 0
            WHEN {last_change} = d THEN {codes(earlier)}[{at}]
            ELSE ({codes(earlier)}[{at}] >> 2) & 3 END""",
        f"""CREATE MACRO clock_of(d) AS CASE
            WHEN year(d) BETWEEN {london.REGULAR_FROM} AND {london.LAST_YEAR}
                AND {in_year} NOT BETWEEN {min(spring)} AND {max(spring)}
                AND {in_year} NOT BETWEEN {min(autumn)} AND {max(autumn)}
                THEN ({in_year} BETWEEN {max(spring)} AND {min(autumn)})::INTEGER
            WHEN year(d) BETWEEN {london.REGULAR_FROM} AND {london.LAST_YEAR} THEN changing_clock(d)
            WHEN d IS NOT NULL THEN early_clock(d) END""",
        f"""CREATE MACRO ahead_of(m, c, stated, is_second) AS CASE
            WHEN c < 16 THEN c
            WHEN {before} < {after} THEN CASE
                WHEN m < {hour} * 60 THEN {before}
                WHEN m >= {hour} * 60 + 60 * ({after} - {before}) THEN {after} END
            WHEN m < {hour} * 60 - 60 * ({before} - {after}) THEN {before}
            WHEN m >= {hour} * 60 THEN {after}
            WHEN stated IN ({before}, {after}) THEN stated
            WHEN is_second THEN {after}
            ELSE {before} END""",
        "CREATE MACRO minute_number(d, m, ahead) AS (d - DATE '1970-01-01') * 1440 + m - 60 * ahead",
        # `x` is the time as text, `earliest` the UTC minute before which the first of two readings is not meant.
        f"""CREATE MACRO utc_of(d, m, x, c, earliest) AS CASE
            WHEN c < 16 AND strlen(x) <= 8 THEN minute_number(d, m, c)
            WHEN strlen(x) <= 8 THEN
                minute_number(d, m, ahead_of(m, c, NULL, coalesce(minute_number(d, m, {before}) < earliest, false)))
            WHEN strlen(x) > 8 AND (stated_of(x) IS NULL OR stated_of(x) = ahead_of(m, c, stated_of(x), false)) THEN
                minute_number(d, m, ahead_of(
                    m, c, stated_of(x), coalesce(minute_number(d, m, {before}) < earliest, false)))
            END""",
    ]


def statement(feed: Feed, texts: str, terms: Terms, extra: Iterable[str] = ()) -> str:
    """The whole reading of a feed over `texts`, a select of every declared column as text.

    `extra` are columns of `texts` that nobody declared: `extra_0` and so on say whether they hold anything.
    """
    if feed.records is None:
        raise ValueError(f"feed {feed.feed} is not of persons")
    return _Reading(feed, feed.records, terms).statement(texts, tuple(extra))


def record_texts(feed: Feed, texts: str) -> str:
    """The text that a record is known by (`record_text`), of every row over `texts`: those too that are rejected.

    It is of the key's columns alone, so that no other is looked at.
    """
    if feed.records is None or feed.records.own_number == "nhs_number":
        raise ValueError(f"the records of feed {feed.feed} have no number of their own")
    return f"SELECT {key_text(feed.feed, *feed.records.key)} AS record_text FROM ({texts})"


class _Reading:
    def __init__(self, feed: Feed, records: Records, terms: Terms) -> None:
        self.feed, self.records, self.terms = feed, records, terms
        self.other_starts = [stem for stem in records.pairs if stem != records.start]
        # Of these a deletion needs nothing more.
        self.always = [column for column in records.columns if column.name in (*VERSION_COLUMNS, *records.key)]
        self.unless_deleted = [column for column in records.columns if column not in self.always]

    def statement(self, texts: str, extra: tuple[str, ...]) -> str:
        further = {f"extra_{number}": f"{name} IS NOT NULL" for number, name in enumerate(extra)}
        layers = [
            self._on_start_day(),
            self._typed(),
            self._strict(),
            self._dated(),
            self._clocked(),
            self._started(),
            self._placed(),
            self._odd(),
        ]
        sql = texts
        for layer in layers:
            sql = f"SELECT *, {_named(layer)} FROM ({sql})" if layer else sql
        return f"SELECT {_named({'reason': self._reason(), **self._output(), **further})} FROM ({sql})"

    @property
    def _start_date(self) -> str | None:
        return self.records.date_of(self.records.start) if self.records.start else None

    def _on_start_day(self) -> dict[str, str]:
        """Most things happen on the day on which the record starts: what is known of it need not be found out again."""
        return {f"same_{name}": f"{name} = {self._start_date}" for name in self._dates_near_start}

    def _typed(self) -> dict[str, str]:
        """What is made of one text alone; a date that is not written as the contract says is still let through."""
        made = {
            "is_deletion": f"update_type = '{DELETION}'",
            "version": "CASE WHEN strlen(record_version) = 1 AND record_version BETWEEN '1' AND '9' "
            "OR regexp_full_match(record_version, '0*[1-9][0-9]{0,9}') THEN try_cast(record_version AS INTEGER) END",
        }
        for column in self.records.columns:
            name = column.name
            match column.type:
                case "date" if name in self._dates_near_start:
                    made[f"t_{name}"] = f"CASE WHEN same_{name} THEN NULL ELSE try_cast({name} AS DATE) END"
                case "date":
                    made[f"t_{name}"] = f"try_cast({name} AS DATE)"
                case "time":
                    made[f"m_{name.removesuffix('_time')}"] = f"minute_of({name})"
                case "nhs_number":
                    made["digits"] = f"CASE WHEN strlen({name}) > 10 THEN replace({name}, ' ', '') ELSE {name} END"
        return made

    @property
    def _dates_near_start(self) -> list[str]:
        return [name for name in self.records.event_dates if name != self._start_date] if self._start_date else []

    def _strict(self) -> dict[str, str]:
        """Dates that are written as the contract says, but for those near the start; the NHS number as a number."""
        made = {
            f"d_{name}": f"CASE WHEN t_{name}::VARCHAR = {name} THEN t_{name} END"
            for name in self.records.dates
            if name not in self._dates_near_start
        }
        if "nhs_number" in self.records.names:
            made["n"] = "CASE WHEN strlen(digits) = 10 THEN try_cast(digits AS BIGINT) END"
        return made

    def _dated(self) -> dict[str, str]:
        made = {
            f"d_{name}": f"CASE WHEN same_{name} THEN d_{self._start_date} "
            f"WHEN t_{name}::VARCHAR = {name} THEN t_{name} END"
            for name in self._dates_near_start
        }
        start = self.records.start
        if start in self.records.pairs:
            made[f"c_{start}"] = f"clock_of(d_{start}_date)"
        return made

    def _clocked(self) -> dict[str, str]:
        """The clocks of the other days; `midnight` is the UTC minute of that of the start day, unless they change."""
        start = self.records.start
        made = {
            f"c_{stem}": f"CASE WHEN NOT same_{stem}_date THEN clock_of(d_{stem}_date) END"
            for stem in self.other_starts
        }
        if start in self.records.pairs:
            made["midnight"] = f"CASE WHEN c_{start} < 16 THEN minute_number(d_{start}_date, 0, c_{start}) END"
        return made

    def _started(self) -> dict[str, str]:
        start = self.records.start
        return {f"u_{start}": _utc(start, start, "true", "NULL")} if start in self.records.pairs else {}

    def _placed(self) -> dict[str, str]:
        made = {
            f"u_{stem}": _utc(stem, str(self.records.start), f"same_{stem}_date", f"u_{self.records.start}")
            for stem in self.other_starts
        }
        return made

    def _odd(self) -> dict[str, str]:
        """`is_odd`: a pair says something but names no instant. `age`: whole years at the start of the record."""
        made = {"is_odd": _any(_says_no_instant(stem) for stem in self.records.pairs)} if self.records.pairs else {}
        if self._has_birth:
            birth, day = "d_person_birth_date", f"d_{self._start_date}"
            made["birth_is_sentinel"] = _in_years([birth])
            made["age"] = f"({_calendar(day)} - {_calendar(birth)}) // 10000"
        return made

    @property
    def _has_birth(self) -> bool:
        return any(column.keep == "age_band" for column in self.records.columns)

    def _reason(self) -> str:
        conditions = {
            "value_not_of_type": self._type_is_wrong(),
            "required_value_missing": self._of_all(lambda c: f"{c.name} IS NULL" if c.required else None),
            "code_not_permitted": self._of_all(_code_is_wrong),
            **self._number(),
            **self._events(),
        }
        cases = " ".join(
            f"WHEN {conditions[reason]} THEN {position}"
            for position, reason in enumerate(REASONS, start=1)
            if conditions.get(reason)
        )
        return f"(CASE {cases} END)::UTINYINT"

    def _of_all(self, condition: Callable[[PersonColumn], str | None], further: Iterable[str] = ()) -> str:
        """The condition on any column; of a deletion only on those that it needs."""
        always = [told for column in self.always if (told := condition(column))]
        others = [*(told for column in self.unless_deleted if (told := condition(column))), *further]
        return _any([*always, *([f"NOT coalesce(is_deletion, false) AND ({_any(others)})"] if others else [])])

    def _type_is_wrong(self) -> str:
        """Whether a value is not of its type; the exact question is put to rows that a cheaper one leaves over."""
        cheap = self._of_all(_type_may_be_wrong, ["is_odd"] if self.records.pairs else [])
        pairs = [
            f"({stem}_date IS NULL) <> ({stem}_time IS NULL) OR "
            f"({stem}_date IS NOT NULL AND (d_{stem}_date IS NULL OR m_{stem} IS NULL))"
            for stem in self.records.pairs
        ]
        return f"CASE WHEN {cheap} THEN {self._of_all(_type_is_wrong, pairs)} ELSE false END"

    def _number(self) -> dict[str, str]:
        if "nhs_number" not in self.records.names:
            return {}
        unless = "" if "nhs_number" in self.records.key else "NOT is_deletion AND "
        # Modulus 11: the digits times 10, 9, ... 1 add up to a multiple of 11. With p = the number cut after a digit,
        # the digit is p less ten times the p before it, which leaves one division a digit.
        weighted = "n" + "".join(f" + n // {10**place} * {1 - 9 * place}" for place in range(1, 10))
        # Ten characters that make a number of ten digits hold nothing else, unless there is an exponent.
        is_number = (
            "CASE WHEN n >= 1000000000 AND NOT contains(digits, 'e') AND NOT contains(digits, 'E') "
            "THEN n < 10000000000 ELSE regexp_full_match(digits, '[0-9]{10}') END"
        )
        is_valid = f"coalesce(({weighted}) % 11 = 0 AND {is_number}, false)"
        told = {"nhs_number_invalid": f"{unless}digits IS NOT NULL AND NOT {is_valid}"}
        if self.terms.test_numbers_only:
            told["nhs_number_not_test"] = f"{unless}NOT starts_with(digits, '{TEST_NUMBERS}')"
        return told

    def _events(self) -> dict[str, str]:
        records, kept = self.records, "NOT is_deletion AND "
        dates = [f"d_{name}" for name in records.event_dates]
        told = {
            "sentinel_date": _in_years(dates),
            # What else could be odd of a pair is told before, as another type.
            "local_time_invalid": "is_odd" if records.pairs else "",
        }
        ends = []
        for end in records.ends:
            kind = "u" if end.event in records.pairs else "d"
            ends.append(f"{kind}_{end.event} < {kind}_{records.start}")
            if end.longest_minutes:
                told["interval_implausible"] = f"u_{end.event} - u_{records.start} > {end.longest_minutes}"
        told["end_before_start"] = _any(ends)
        if self._has_birth:
            told["age_implausible"] = (
                f"NOT birth_is_sentinel AND (d_person_birth_date > d_{self._start_date} OR age > {LONGEST_LIFE})"
            )
        told = {reason: f"{kept}({condition})" for reason, condition in told.items() if condition}
        late = f"d_submission_date > DATE '{self.terms.received_on}'"
        ahead = _any(
            f"d_{name} > d_submission_date" for name in records.event_dates if name not in records.may_lie_ahead
        )
        told["date_in_future"] = f"{late} OR ({kept}({ahead}))" if ahead else late
        return told

    def _output(self) -> dict[str, str]:
        records = self.records
        output = {"record_text": self._record_text()}
        output |= {
            "record_version": "version",
            "submission_date": "d_submission_date",
            "is_deletion": "is_deletion",
        }
        for column in records.columns:
            if column.name not in VERSION_COLUMNS:
                output |= self._kept(column)
        return output

    def _record_text(self) -> str:
        if self.records.own_number == "nhs_number":
            return key_text(PERSON, "digits")
        return key_text(self.feed.feed, *self.records.key)

    def _kept(self, column: PersonColumn) -> dict[str, str]:
        name, stem = column.name, column.name.removesuffix("_date")
        match column.keep:
            case "itself":
                return {name: f"d_{name}" if column.type == "date" else name}
            case "instant" | "instant_and_date" if column.type == "date":
                kept = {f"{stem}_at": f"make_timestamp(u_{stem} * 60000000)"}
                if column.keep == "instant_and_date":
                    kept[name] = f"d_{name}"
                return kept
            case "spell_key":
                return {"spell_text": key_text(SPELLS, self.records.key[0], name)}
            case "person_pseudonym":
                return {"person_text": key_text(PERSON, "digits")}
            case "age_band":
                bands = " ".join(
                    f"WHEN age >= {youngest} THEN '{band}'"
                    for youngest, band in sorted(AGE_BANDS.items(), reverse=True)
                )
                return {"age_band": f"CASE WHEN age IS NULL OR birth_is_sentinel THEN '{UNKNOWN_AGE}' {bands} END"}
            case "area_code":
                return {"area_code": f"area_of({name})"}
            case "covid_diagnosis":
                # Few codes begin with the letter; the others are not taken apart.
                may_be = f"CASE WHEN contains({name}, 'U') OR contains({name}, 'u') THEN"
                wanted, codes = "['U071', 'U072']", f"icd_codes({name})"
                return {
                    "is_covid_diagnosed": f"{may_be} list_has_any({codes}, {wanted}) ELSE false END",
                    "is_covid_primary": f"{may_be} coalesce(list_contains({wanted}, {codes}[1]), false) ELSE false END",
                }
        return {}


def key_text(domain: str, *parts: str) -> str:
    """The SQL of a text for the keyed hash; texts of two domains are never equal."""
    return (
        f"concat('{domain}', {SEPARATOR}, {f', {SEPARATOR}, '.join(parts)})"
        if len(parts) > 1
        else (f"'{domain}' || {SEPARATOR} || {parts[0]}")
    )


def _utc(stem: str, start: str, is_start_day: str, earliest: str) -> str:
    clock = f"c_{stem}" if earliest == "NULL" else f"coalesce(c_{stem}, c_{start})"
    return (
        f"CASE WHEN {is_start_day} AND midnight IS NOT NULL AND strlen({stem}_time) <= 8 THEN midnight + m_{stem} "
        f"WHEN m_{stem} IS NOT NULL THEN utc_of(d_{stem}_date, m_{stem}, {stem}_time, {clock}, {earliest}) END"
    )


def _says_no_instant(stem: str) -> str:
    return f"(u_{stem} IS NULL AND ({stem}_date IS NOT NULL OR {stem}_time IS NOT NULL))"


def _type_may_be_wrong(column: PersonColumn) -> str | None:
    """A cheap question, true wherever the type of a value outside pairs is wrong."""
    return f"strlen({column.name}) > {column.longest}" if column.longest else _type_is_wrong(column)


def _type_is_wrong(column: PersonColumn) -> str | None:
    """Whether a value outside pairs is not of its type."""
    name = column.name
    if column.type == "date" and not column.keep.startswith("instant"):
        return f"({name} IS NOT NULL AND d_{name} IS NULL)"
    if column.type == "integer":
        return f"({name} IS NOT NULL AND version IS NULL)"
    return f"length({name}) > {column.longest}" if column.longest else None


def _code_is_wrong(column: PersonColumn) -> str | None:
    name = column.name
    match column.type:
        case "code":
            return f"NOT list_contains([{_texts(column.codes)}], {name})"
        case "organisation_code" | "digits":
            of = "[A-Z0-9]" if column.type == "organisation_code" else "[0-9]"
            forms = " ".join(f"WHEN {length} THEN {name} GLOB '{of * length}'" for length in column.lengths)
            return f"NOT CASE strlen({name}) {forms} ELSE {name} IS NULL END"
    return None


def _in_years(dates: list[str]) -> str:
    """Whether one of the dates lies in a year that stands for a date that nobody knew; cheap where none can."""
    outside = _any(f"{date} < DATE '1901-01-01' OR {date} >= DATE '9999-01-01'" for date in dates)
    years = ", ".join(str(year) for year in SENTINEL_YEARS)
    return f"CASE WHEN {outside} THEN {_any(f'year({date}) IN ({years})' for date in dates)} ELSE false END"


def _calendar(date: str) -> str:
    """A date as a number yyyymmdd: the difference of two is 10,000 a whole year, a birthday on 29 February included."""
    return f"(year({date}) * 10000 + month({date}) * 100 + day({date}))"


def _named(expressions: dict[str, str]) -> str:
    return ", ".join(f"{expression} AS {name}" for name, expression in expressions.items())


def _any(conditions: Iterable[str]) -> str:
    return " OR ".join(conditions)


def _texts(texts: Iterable[str]) -> str:
    return ", ".join(f"'{text}'" for text in texts)
