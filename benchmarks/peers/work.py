"""The work that each peer does, as far as it is facts: which columns, codes and bounds. The peers share nothing else.

From the CSV files of `ecds_attendances` and `apc_spells`, each peer rejects what the contract rejects, replaces the NHS
number and the record's own number by a keyed HMAC, keeps the latest version of each record, and writes three tables:

    waits     ae_waiting_times_daily   nation, trust, site; every department type
    census    occupancy_daily          nation, trust, site; basis person_level, bed type `all`, occupied beds
    stays     length_of_stay           nation, trust, site; covid groups `all` and `covid_diagnosed`; age bands

The datastore does more: it seals and encrypts, and has further feeds, marts and levels.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

NATION = "E92000001"
KEY = b"protects nothing: all persons are invented"  # no longer than a block of the hash
# Whoever is read here is invented; the datastore's demonstration mode refuses every other number.
TEST_PERSONS = "999"
SENTINEL_YEARS = [1582, 1800, 1801, 1899, 1900, 9999]
OLDEST_YEARS = 120
LONGEST_WAIT, LONGEST_STEP = 10_080, 1_440
TRANSFERRED = ["49", "50", "51", "52", "53", "84", "87"]
TRANSFER_METHODS = ["2B", "81"]
COVID = ["U071", "U072"]
CENSUS_HOUR = 8
AGES = ["0_5", "6_17", "18_64", "65_84", "85_plus"]
AGES_FROM = [0, 6, 18, 65, 85]

DEPARTMENTS = {"01": "type_1", "02": "type_2", "03": "other", "04": "other"}
UNPLANNED = ["1", "2", "3"]

# Of admission, and destinations of discharge.
SOURCES = [
    *("19", "29", "30", "37", "38", "39", "40", "42", "48", "49", "50", "51", "52", "53", "54", "55", "56", "65"),
    *("66", "69", "79", "84", "85", "86", "87", "88", "89", "98", "99"),
]
METHODS = [
    *("11", "12", "13", "21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D", "31", "32", "81", "82", "83"),
    *("98", "99"),
]
VERSION = ["submission_date", "record_version", "update_type"]
PERSON = ["nhs_number", "person_birth_date", "postcode_of_usual_address"]


@dataclass(frozen=True)
class Feed:
    """What a peer reads of a feed: the record's number, the codes it may hold, its moments; the first is its start."""

    name: str
    number: str
    codes: dict[str, list[str]]
    required: tuple[str, ...]
    moments: tuple[str, ...]
    text: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The columns that are read, of those the files have."""
        times = [f"{moment}_{part}" for moment in self.moments for part in ("date", "time")]
        organisations = ["provider_code", "site_code"]
        return [*VERSION, *organisations, self.number, *PERSON, *self.codes, *times, *self.text]


ATTENDANCES = Feed(
    name="ecds_attendances",
    number="emergency_care_attendance_identifier",
    codes={"ec_department_type": ["01", "02", "03", "04", "05"], "ec_attendance_category": ["1", "2", "3", "4"]},
    required=("ec_department_type", "ec_attendance_category"),
    moments=("arrival", "ec_initial_assessment", "ec_seen_for_treatment", "ec_decision_to_admit", "ec_departure"),
)
SPELLS = Feed(
    name="apc_spells",
    number="hospital_provider_spell_number",
    codes={
        "patient_classification": ["1", "2", "3", "4", "5"],
        "admission_method": METHODS,
        "source_of_admission": SOURCES,
        "discharge_method": [str(code) for code in range(1, 10)],
        "discharge_destination": SOURCES,
    },
    required=("patient_classification", "admission_method", "treatment_function_code"),
    moments=("admission", "discharge"),
    text=("treatment_function_code", "der_diagnosis_all"),
)


def arguments() -> tuple[Path, Path]:
    """What a peer is started with: the folder of the feeds' CSV files, and the folder for its tables."""
    data, output = (Path(argument) for argument in sys.argv[1:3])
    output.mkdir(parents=True, exist_ok=True)
    return data, output


def successions(data: Path) -> list[tuple[str, str, str]]:
    """Predecessor, successor and day of each succession of providers: a stay goes on across it."""
    (path,) = (data / "ods_succession").glob("*.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(row["trust_code_old"], row["trust_code_new"], row["from_date"]) for row in csv.DictReader(file)]


def files(data: Path, feed: Feed) -> list[str]:
    """The feed's files, in the order of their names."""
    return [str(path) for path in sorted((data / feed.name).glob("*.csv"))]
