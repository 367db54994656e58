"""The person-level feeds as suppliers send them: columns in order, with what may stand in them."""

from __future__ import annotations

from dataclasses import dataclass, field

ODS_PROVIDER = r"[A-Z0-9]{3}|[A-Z0-9]{5}"
ODS_SITE = r"[A-Z0-9]{5}"
ODS_PRACTICE = r"[A-Z0-9]{6}"
SOURCES_AND_DESTINATIONS = "19 29 30 37 38 39 40 42 48 49 50 51 52 53 54 55 56 65 66 69 79 84 85 86 87 88 89 98 99"
ADULT = "01 02 03 05 06 07 08 09 10 11 12 90"
PAEDIATRIC = "04 16 17 18 19 92"
NEONATAL = "13 14 15 91"


@dataclass(frozen=True)
class Column:
    """One column: its kind, whether it must be filled, whether it is of the key, and its codes or longest text."""

    name: str
    kind: str  # date, time, number, code, text, nhs_number, birth_date
    required: bool = False
    key: bool = False
    codes: frozenset[str] = frozenset()
    pattern: str | None = None
    longest: int | None = None


@dataclass(frozen=True)
class Layout:
    """A feed: columns, its date/time pairs (the first is the record's start), and what becomes of its dates."""

    feed: str
    columns: tuple[Column, ...]
    start: str  # the pair's or column's name without _date
    pairs: tuple[str, ...] = ()
    ends: tuple[tuple[str, str], ...] = ()  # (start, end): an end before its start is refused
    may_lie_ahead: frozenset[str] = frozenset()
    kept: tuple[str, ...] = field(default=())  # columns kept as they are sent


def date(name: str, required: bool = False) -> Column:
    """A column of a date."""
    return Column(name, "date", required)


def code(name: str, codes: str, required: bool = False) -> Column:
    """A column of codes, given apart by spaces."""
    return Column(name, "code", required, codes=frozenset(codes.split()))


def text(name: str, longest: int | None = 20, required: bool = False, key: bool = False) -> Column:
    """A column of text."""
    return Column(name, "text", required, key, longest=longest)


def organisation(name: str, pattern: str, key: bool = False) -> Column:
    """A column of an organisation's code."""
    return Column(name, "code", True, key, pattern=pattern)


def pair(name: str, required: bool = False) -> tuple[Column, Column]:
    """A date and its time."""
    return Column(f"{name}_date", "date", required), Column(f"{name}_time", "time", required)


VERSION = (date("submission_date", True), Column("record_version", "number", True), code("update_type", "1 9", True))


def identity(nhs_number_required: bool = False) -> tuple[Column, ...]:
    """The six columns of identity."""
    return (
        Column("nhs_number", "nhs_number", nhs_number_required),
        text("local_patient_identifier"),
        text("person_given_name", 35),
        text("person_family_name", 35),
        Column("person_birth_date", "birth_date"),
        text("postcode_of_usual_address", 8),
    )


LAYOUTS = {
    one.feed: one
    for one in (
        Layout(
            "ecds_attendances",
            (
                *VERSION,
                organisation("provider_code", ODS_PROVIDER, key=True),
                organisation("site_code", ODS_SITE),
                text("emergency_care_attendance_identifier", required=True, key=True),
                *identity(),
                code("ec_department_type", "01 02 03 04 05", True),
                code("ec_attendance_category", "1 2 3 4", True),
                *pair("arrival", True),
                *pair("ec_initial_assessment"),
                *pair("ec_seen_for_treatment"),
                *pair("ec_decision_to_admit"),
                *pair("ec_departure"),
                text("ec_chief_complaint_snomed_ct", None),
            ),
            start="arrival",
            pairs=(
                "arrival",
                "ec_initial_assessment",
                "ec_seen_for_treatment",
                "ec_decision_to_admit",
                "ec_departure",
            ),
            ends=(("arrival", "ec_departure"),),
            kept=("provider_code", "site_code", "ec_department_type", "ec_attendance_category"),
        ),
        Layout(
            "apc_spells",
            (
                *VERSION,
                organisation("provider_code", ODS_PROVIDER, key=True),
                organisation("site_code", ODS_SITE),
                text("hospital_provider_spell_number", required=True, key=True),
                *identity(),
                code("patient_classification", "1 2 3 4 5", True),
                code("admission_method", "11 12 13 21 22 23 24 25 28 2A 2B 2C 2D 31 32 81 82 83 98 99", True),
                code("source_of_admission", SOURCES_AND_DESTINATIONS),
                *pair("admission", True),
                *pair("discharge"),
                code("discharge_method", "1 2 3 4 5 6 7 8 9"),
                code("discharge_destination", SOURCES_AND_DESTINATIONS),
                Column("treatment_function_code", "code", True, pattern=r"[0-9]{3}"),
                text("der_diagnosis_all", None),
            ),
            start="admission",
            pairs=("admission", "discharge"),
            ends=(("admission", "discharge"),),
            kept=(
                "provider_code",
                "site_code",
                "patient_classification",
                "admission_method",
                "source_of_admission",
                "discharge_destination",
                "treatment_function_code",
            ),
        ),
        Layout(
            "covid_tests",
            (
                *VERSION,
                text("reporting_lab_code", None, required=True, key=True),
                text("specimen_number", required=True, key=True),
                *identity(),
                date("specimen_date", True),
                date("lab_report_date"),
                code("test_result", "positive negative indeterminate", True),
                code("pillar", "1 2"),
            ),
            start="specimen",
            kept=("reporting_lab_code", "test_result"),
        ),
        Layout(
            "critical_care_periods",
            (
                *VERSION,
                organisation("provider_code", ODS_PROVIDER, key=True),
                text("critical_care_local_identifier", required=True, key=True),
                text("hospital_provider_spell_number", required=True),
                Column("nhs_number", "nhs_number"),
                text("local_patient_identifier"),
                code("critical_care_unit_function", f"{ADULT} {PAEDIATRIC} {NEONATAL}", True),
                *pair("critical_care_start", True),
                *pair("critical_care_discharge"),
            ),
            start="critical_care_start",
            pairs=("critical_care_start", "critical_care_discharge"),
            ends=(("critical_care_start", "critical_care_discharge"),),
            kept=("provider_code", "hospital_provider_spell_number", "critical_care_unit_function"),
        ),
        Layout(
            "gp_registrations",
            (
                *VERSION,
                organisation("gp_practice_code", ODS_PRACTICE, key=True),
                text("registration_identifier", required=True, key=True),
                *identity(nhs_number_required=True),
                date("registration_start_date", True),
                date("registration_end_date"),
            ),
            start="registration_start",
            ends=(("registration_start", "registration_end"),),
            may_lie_ahead=frozenset({"registration_end_date"}),
            kept=("gp_practice_code",),
        ),
        Layout(
            "care_home_residents",
            (
                *VERSION,
                text("care_home_location_code", None, required=True, key=True),
                text("resident_identifier", required=True, key=True),
                *identity(nhs_number_required=True),
                date("residency_start_date", True),
                date("residency_end_date"),
            ),
            start="residency_start",
            ends=(("residency_start", "residency_end"),),
            may_lie_ahead=frozenset({"residency_end_date"}),
        ),
        Layout(
            "data_opt_outs",
            (*VERSION, Column("nhs_number", "nhs_number", True, key=True), date("opt_out_date", True)),
            start="opt_out",
        ),
    )
}
