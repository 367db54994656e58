"""Records as the contract of the person-level feeds lays them out: text, column by column."""

from __future__ import annotations

import datetime as dt
from functools import cache, cached_property

import numpy as np
import polars as pl

from data.synthetic.persons.chance import Chance, Ints
from data.synthetic.persons.clock import DAY, HOUR, NEVER, day_number, is_second_hour, is_summer, local
from data.synthetic.persons.fates import Sent
from data.synthetic.persons.people import People
from data.synthetic.persons.records import (
    CATEGORIES,
    DEPARTMENTS,
    DIAGNOSES,
    FUNCTIONS,
    LABS,
    METHODS,
    RESULTS,
    SOURCES,
    UNIT_FUNCTIONS,
    Attendances,
    CriticalCare,
    Spells,
    Tests,
)
from data.synthetic.persons.registers import HOMES, Periods

VERSION = ("submission_date", "record_version", "update_type")
IDENTITY = (
    "nhs_number",
    "local_patient_identifier",
    "person_given_name",
    "person_family_name",
    "person_birth_date",
    "postcode_of_usual_address",
)


def _columns(text: str) -> tuple[str, ...]:
    """Names after the first three; IDENTITY stands for its own, `x_at` for the pair of date and time."""
    found = list(VERSION)
    for name in text.split():
        if name == "IDENTITY":
            found += IDENTITY
        else:
            found += [f"{name[:-3]}_date", f"{name[:-3]}_time"] if name.endswith("_at") else [name]
    return tuple(found)


COLUMNS: dict[str, tuple[str, ...]] = {
    "ecds_attendances": _columns(
        "provider_code site_code emergency_care_attendance_identifier IDENTITY ec_department_type "
        "ec_attendance_category arrival_at ec_initial_assessment_at ec_seen_for_treatment_at ec_decision_to_admit_at "
        "ec_departure_at ec_chief_complaint_snomed_ct"
    ),
    "apc_spells": _columns(
        "provider_code site_code hospital_provider_spell_number IDENTITY patient_classification admission_method "
        "source_of_admission admission_at discharge_at discharge_method discharge_destination treatment_function_code "
        "der_diagnosis_all"
    ),
    "covid_tests": _columns(
        "reporting_lab_code specimen_number IDENTITY specimen_date lab_report_date test_result pillar"
    ),
    "critical_care_periods": _columns(
        "provider_code critical_care_local_identifier hospital_provider_spell_number nhs_number "
        "local_patient_identifier critical_care_unit_function critical_care_start_at critical_care_discharge_at"
    ),
    "gp_registrations": _columns(
        "gp_practice_code registration_identifier IDENTITY registration_start_date registration_end_date"
    ),
    "care_home_residents": _columns(
        "care_home_location_code resident_identifier IDENTITY residency_start_date residency_end_date"
    ),
    "data_opt_outs": _columns("nhs_number opt_out_date"),
}
KEYS: dict[str, tuple[str, ...]] = {
    "ecds_attendances": ("provider_code", "emergency_care_attendance_identifier"),
    "apc_spells": ("provider_code", "hospital_provider_spell_number"),
    "covid_tests": ("reporting_lab_code", "specimen_number"),
    "critical_care_periods": ("provider_code", "critical_care_local_identifier"),
    "gp_registrations": ("gp_practice_code", "registration_identifier"),
    "care_home_residents": ("care_home_location_code", "resident_identifier"),
    "data_opt_outs": ("nhs_number",),
}
GIVEN = (
    *[
        "Ada",
        "Bram",
        "Cleo",
        "Dov",
        "Esme",
        "Finn",
        "Greta",
        "Hal",
        "Ines",
        "Jonty",
        "Kit",
        "Lowri",
        "Moss",
        "Nell",
        "Otis",
        "Priya",
        "Quill",
        "Rhys",
        "Suki",
        "Tam",
        "Uma",
        "Vikram",
    ],
    *("Wren", "Yusuf", "Zo\u00eb", "Se\u00e1n", "Am\u00e9lie", "\u0141ucja", "Anne Marie", "Jo-Ann"),
)
FAMILY = (
    *[
        "Fictional",
        "Invented",
        "Madeup",
        "Nobody",
        "Imagined",
        "Fabled",
        "Supposed",
        "Pretend",
        "Figment",
        "Storey",
        "Fable",
        "Mythe",
    ],
    *("O'Fable", "de Fiction", "Unreal-Storey", "Figment, Jr", 'Storey "Tall"', "Pseudonym", "Placeholder", "Sample"),
)
COMPLAINTS = ("29857009", "267036007", "21522001", "49727002", "417746004", "386661006", "422400008", "")

_DAYS_FROM = day_number(dt.date(1850, 1, 1))
PLAIN_TIME, WITH_SECONDS, WITH_OFFSET = 0, 1, 2


@cache
def _days() -> pl.Series:
    last = day_number(dt.date(2042, 1, 1))
    days = pl.Series(np.arange(_DAYS_FROM, last, dtype=np.int32)).cast(pl.Date).dt.to_string("%Y-%m-%d")
    return pl.concat([pl.Series([None], dtype=pl.String), days])


@cache
def _times() -> pl.Series:
    """Minutes of a day as text: plain, with seconds, with the offset of winter, with that of summer."""
    clock = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(DAY)]
    seconds = [f"{time}:{(number * 7) % 60:02d}" for number, time in enumerate(clock)]
    return pl.Series(
        [None, *clock, *seconds, *(f"{time}+00:00" for time in clock), *(f"{time}+01:00" for time in clock)],
        dtype=pl.String,
    )


def take(table: pl.Series, places: Ints) -> pl.Series:
    """Entries of a table."""
    return table.gather(pl.Series(places.astype(np.uint32)))


def day_text(day: Ints) -> pl.Series:
    """Dates; none for NEVER."""
    return take(_days(), np.where(day == NEVER, 0, day - _DAYS_FROM + 1))


def codes(table: tuple[str, ...], places: Ints) -> pl.Series:
    """Codes by their places in a list."""
    return take(pl.Series(table, dtype=pl.String), places)


def instant_text(at: Ints, style: Ints, start: Ints) -> tuple[pl.Series, pl.Series]:
    """Date and time on the wall clock. In the hour that comes twice the second is told by its offset.

    Where the first of the two would lie before `start`, of which it is the end, the bare time means the second.
    """
    shown = local(at)
    minute = shown % DAY
    needed = is_second_hour(at) & (at - HOUR >= start) | is_second_hour(at + HOUR) & (at < start)
    summer = is_summer(at)
    form = np.where((style == WITH_OFFSET) | needed, 2 + summer, np.where(style == WITH_SECONDS, 1, 0))
    is_known = at != NEVER
    return day_text(np.where(is_known, shown // DAY, NEVER)), take(
        _times(), np.where(is_known, 1 + minute + DAY * form, 0)
    )


class Layout:
    """The text of the records of some people."""

    def __init__(self, people: People) -> None:
        self.people, self.places = people, people.places
        self.chance = Chance(people.seed, "layout")
        # How each supplier writes times.
        self.styles = np.array(
            [
                (PLAIN_TIME, PLAIN_TIME, WITH_SECONDS, PLAIN_TIME, WITH_OFFSET)[number % 5]
                for number in range(len(self.places.providers))
            ]
        )

    @cached_property
    def _numbers(self) -> pl.Series:
        """NHS numbers; one person in forty is written with spaces. The last entry is none."""
        text = pl.Series(self.people.numbers).cast(pl.String)
        spaced = text.str.slice(0, 3) + " " + text.str.slice(3, 3) + " " + text.str.slice(6, 4)
        some = pl.Series(self.chance.happens("spaces", np.arange(len(text)), 0.025))
        return pl.concat([spaced.zip_with(some, text), pl.Series([None], dtype=pl.String)])

    @cached_property
    def _postcodes(self) -> pl.Series:
        """Five outward parts an area and 60 inward parts each; ZZ99 is nobody's."""
        return pl.Series(
            [
                f"ZZ{10 + out} {1 + inward % 9}{'ABDEFGHJLN'[inward // 6]}{'PQRSTU'[inward % 6]}"
                for out in range(80)
                for inward in range(60)
            ]
        )

    def number_places(self, person: Ints, ids: Ints, missing: float) -> Ints:
        """Place of each person's number in the list of numbers; of some records it is missing."""
        none = ~self.people.has_number(person) | self.chance.happens("no number", ids, missing)
        return np.where(none, len(self._numbers) - 1, person)

    def has_number(self, person: Ints, ids: Ints, missing: float) -> np.ndarray:
        """Whether the record comes with a number."""
        return self.number_places(person, ids, missing) < len(self._numbers) - 1

    def outward(self, person: Ints) -> Ints:
        """Which outward part each person lives in."""
        return self.people.area(person) * 5 + self.chance.below("outward", person, 5)

    def _identity(self, person: Ints, ids: Ints, provider: Ints, missing: float) -> dict[str, pl.Series]:
        draw = self.chance
        postcode = self.outward(person) * 60 + draw.below("inward", person, 60)
        number = self.number_places(person, ids, missing)
        return {
            "nhs_number": take(self._numbers, number),
            "local_patient_identifier": pl.Series(person * 7 + provider * 1_000_003 + 40).cast(pl.String),
            "person_given_name": codes(GIVEN, draw.below("given", person, len(GIVEN))),
            "person_family_name": codes(FAMILY, draw.below("family", person, len(FAMILY))),
            "person_birth_date": day_text(self.people.birth_day(person)),
            "postcode_of_usual_address": take(self._postcodes, postcode),
        }

    def _version(self, sent: Sent) -> dict[str, pl.Series]:
        return {
            "submission_date": day_text(sent.day),
            "record_version": pl.Series(sent.version).cast(pl.String),
            "update_type": codes(("9", "1"), sent.is_deletion.astype(np.int64)),
        }

    def _own_number(self, table: tuple[str, ...], place: Ints, letter: str, ids: Ints) -> pl.Series:
        return codes(tuple(f"{code}{letter}" for code in table), place) + pl.Series(ids).cast(pl.String)

    def attendances(self, of: Attendances, sent: Sent) -> pl.DataFrame:
        """Rows of `ecds_attendances`; `of` has a record for each row of `sent`."""
        style = self.styles[of.provider]
        columns = self._version(sent)
        columns["provider_code"] = codes(self.places.providers, of.provider)
        columns["site_code"] = codes(self.places.sites, of.site)
        columns["emergency_care_attendance_identifier"] = self._own_number(
            self.places.providers, of.provider, "E", of.id
        )
        columns |= self._identity(of.person, of.id, of.provider, 0.015)
        columns["ec_department_type"] = codes(DEPARTMENTS, of.department)
        columns["ec_attendance_category"] = codes(CATEGORIES, of.category)
        for name, at in (
            ("arrival", of.arrival),
            ("ec_initial_assessment", of.assessment),
            ("ec_seen_for_treatment", of.treatment),
            ("ec_decision_to_admit", of.decision),
            ("ec_departure", of.departure),
        ):
            start = np.full(len(at), NEVER) if name == "arrival" else of.arrival
            columns[f"{name}_date"], columns[f"{name}_time"] = instant_text(at, style, start)
        columns["ec_chief_complaint_snomed_ct"] = codes(
            COMPLAINTS, self.chance.below("complaint", of.id, len(COMPLAINTS))
        )
        return pl.DataFrame(columns)

    def spells(self, of: Spells, sent: Sent) -> pl.DataFrame:
        """Rows of `apc_spells`."""
        style = self.styles[of.provider]
        columns = self._version(sent)
        columns["provider_code"] = codes(self.places.providers, of.provider)
        columns["site_code"] = codes(self.places.sites, of.site)
        columns["hospital_provider_spell_number"] = self._own_number(self.places.providers, of.provider, "S", of.id)
        columns |= self._identity(of.person, of.id, of.provider, 0.01)
        columns["patient_classification"] = pl.Series(of.patient_class).cast(pl.String)
        columns["admission_method"] = codes(METHODS, of.method)
        columns["source_of_admission"] = codes(SOURCES, of.source)
        never = np.full(len(of.id), NEVER)
        columns["admission_date"], columns["admission_time"] = instant_text(of.admission, style, never)
        columns["discharge_date"], columns["discharge_time"] = instant_text(of.discharge, style, of.admission)
        is_open = of.discharge == NEVER
        columns["discharge_method"] = codes(
            ("1", "4", ""), np.where(is_open, 2, np.where(of.destination == SOURCES.index("79"), 1, 0))
        )
        columns["discharge_destination"] = codes((*SOURCES, ""), np.where(is_open, len(SOURCES), of.destination))
        columns["treatment_function_code"] = codes(FUNCTIONS, of.function)
        columns["der_diagnosis_all"] = codes(DIAGNOSES, of.diagnosis)
        return pl.DataFrame(columns)

    def tests(self, of: Tests, sent: Sent) -> pl.DataFrame:
        """Rows of `covid_tests`."""
        columns = self._version(sent)
        columns["reporting_lab_code"] = codes(LABS, of.lab)
        columns["specimen_number"] = self._own_number(LABS, of.lab, "T", of.id)
        columns |= self._identity(of.person, of.id, of.lab, 0.04)
        columns["specimen_date"] = day_text(of.specimen_day)
        columns["lab_report_date"] = day_text(of.report_day)
        columns["test_result"] = codes(RESULTS, of.result)
        columns["pillar"] = codes(("1", "2"), of.id // (1 << 40))
        return pl.DataFrame(columns)

    def critical_care(self, of: CriticalCare, sent: Sent) -> pl.DataFrame:
        """Rows of `critical_care_periods`."""
        style = self.styles[of.provider]
        columns = self._version(sent)
        columns["provider_code"] = codes(self.places.providers, of.provider)
        columns["critical_care_local_identifier"] = self._own_number(self.places.providers, of.provider, "C", of.id)
        columns["hospital_provider_spell_number"] = self._own_number(self.places.providers, of.provider, "S", of.spell)
        columns["nhs_number"] = take(self._numbers, self.number_places(of.person, of.id, 0.02))
        columns["local_patient_identifier"] = pl.Series(of.person * 7 + of.provider * 1_000_003 + 40).cast(pl.String)
        columns["critical_care_unit_function"] = codes(UNIT_FUNCTIONS, of.unit)
        never = np.full(len(of.id), NEVER)
        columns["critical_care_start_date"], columns["critical_care_start_time"] = instant_text(of.start, style, never)
        columns["critical_care_discharge_date"], columns["critical_care_discharge_time"] = instant_text(
            of.end, style, of.start
        )
        return pl.DataFrame(columns)

    def registrations(self, of: Periods, sent: Sent) -> pl.DataFrame:
        """Rows of `gp_registrations`."""
        columns = self._version(sent)
        columns["gp_practice_code"] = codes(self.places.practices, of.place)
        columns["registration_identifier"] = pl.Series(of.id + 100_000).cast(pl.String)
        columns |= self._identity(of.person, of.id, of.place, 0.0)
        columns["registration_start_date"] = day_text(of.start)
        columns["registration_end_date"] = day_text(of.end)
        return pl.DataFrame(columns)

    def residencies(self, of: Periods, sent: Sent) -> pl.DataFrame:
        """Rows of `care_home_residents`."""
        columns = self._version(sent)
        columns["care_home_location_code"] = codes(HOMES, of.place)
        columns["resident_identifier"] = "R" + pl.Series(of.id).cast(pl.String)
        columns |= self._identity(of.person, of.id, of.place, 0.0)
        columns["residency_start_date"] = day_text(of.start)
        columns["residency_end_date"] = day_text(of.end)
        return pl.DataFrame(columns)

    def opt_outs(self, of: Periods, sent: Sent) -> pl.DataFrame:
        """Rows of `data_opt_outs`."""
        columns = self._version(sent)
        columns["nhs_number"] = take(self._numbers, of.person)
        columns["opt_out_date"] = day_text(of.start)
        return pl.DataFrame(columns)
