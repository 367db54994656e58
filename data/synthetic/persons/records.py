"""Records as they were, column by column, and the codes that they hold the places of. Instants are minutes in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from data.synthetic.persons.chance import Bools, Ints

CATEGORIES = ("1", "2", "3", "4")
DEPARTMENTS = ("01", "02", "03", "04", "05")
METHODS = tuple(
    ["11", "12", "13", "21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D", "31", "32", "81", "82", "83", "98"]
)
SOURCES = ("19", "29", "49", "51", "52", "54", "65", "79", "85")
FUNCTIONS = tuple(
    ["100", "101", "110", "120", "180", "300", "301", "320", "340", "370", "420", "424", "430", "501", "560", "713"]
)
# The first so many hold general and acute beds and are drawn for anybody.
COMMON_FUNCTIONS = 11
# Joined as sent: the first is primary. Those from COVID_FROM on have U07.1 or U07.2, from PRIMARY_FROM on in front.
DIAGNOSES = tuple(
    [
        "J18.9",
        "I21.4|I10X",
        "S72.0|W01.9",
        "K35.8",
        "C50.9|Z51.1",
        "H26.9",
        "O80.X",
        "N39.0|R41.0",
        "J44.1|I50.0",
        "Z38.0",
        "J12.8|U07.1",
        "n39.0|u071",
        "I50.0|N17.9|U07.2",
        "S72.0|U07.1|W01.9",
        "U07.1",
        "U071|J12.8",
        "U07.1|J96.0|I10X",
        "U07.2",
        "|U07.1|J12.8",
    ]
)
COVID_FROM, PRIMARY_FROM = 10, 14
# Adult, then children's, then babies' units.
UNIT_FUNCTIONS = tuple(["01", "02", "03", "05", "90", "04", "16", "19", "13", "14", "15"])
LABS = ("ZL001", "ZL002", "ZL003", "ZL004", "ZL005", "ZL006")
RESULTS = ("positive", "negative", "indeterminate")


@dataclass
class Attendances:
    """Attendances."""

    id: Ints
    person: Ints
    site: Ints
    provider: Ints
    department: Ints
    category: Ints
    arrival: Ints
    assessment: Ints
    treatment: Ints
    decision: Ints
    departure: Ints


@dataclass
class Spells:
    """Spells."""

    id: Ints
    person: Ints
    site: Ints
    provider: Ints
    patient_class: Ints
    method: Ints
    source: Ints
    admission: Ints
    discharge: Ints
    destination: Ints
    function: Ints
    diagnosis: Ints


@dataclass
class CriticalCare:
    """Critical care periods; `spell` is the number of a spell, which need not exist."""

    id: Ints
    person: Ints
    provider: Ints
    spell: Ints
    unit: Ints
    start: Ints
    end: Ints


@dataclass
class Tests:
    """Specimens; days, not instants."""

    id: Ints
    person: Ints
    lab: Ints
    specimen_day: Ints
    report_day: Ints
    result: Ints


Records = TypeVar("Records")


def select(records: Records, rows: Bools | Ints) -> Records:
    """Some of the records."""
    return type(records)(*(getattr(records, field.name)[rows] for field in fields(records)))


def together(parts: Sequence[Records]) -> Records:
    """All of them, in the order of their numbers."""
    first = parts[0]
    columns = [np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(first)]
    order = np.argsort(columns[0], kind="stable")
    return type(first)(*(column[order] for column in columns))


def nothing(kind: type[Records]) -> Records:
    """No records of that kind."""
    return kind(*(np.zeros(0, dtype=np.int64) for _ in fields(kind)))  # type: ignore[arg-type]


def as_left(records: Records) -> Records:
    """A copy whose columns can be changed."""
    return type(records)(*(getattr(records, field.name).copy() for field in fields(records)))


@dataclass
class Happenings:
    """What followed from a run of contacts."""

    attendances: Attendances
    spells: Spells
    critical_care: CriticalCare
    tests: Tests
