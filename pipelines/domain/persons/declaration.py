"""What a person-level feed declares: every column in order, how it is checked, how private it is, what is kept of it.

The SQL that reads a file is made from this (`adapters/persons`), and so are the columns of the accepted rows.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pipelines.domain.persons.layouts import OtherLayout
from pipelines.domain.strict import Strict

Type = Literal["text", "code", "organisation_code", "digits", "date", "time", "integer", "nhs_number"]
Sensitivity = Literal["direct_identifier", "quasi_identifier", "sensitive", "none"]
# `instant` stands on the date and the time of a pair: kept as one UTC time `_at`. The others name what they become.
Keep = Literal[
    "itself",
    "dropped",
    "instant",
    "instant_and_date",
    "record_key",
    "spell_key",
    "person_pseudonym",
    "age_band",
    "area_code",
    "covid_diagnosis",
]

ORIGINAL, DELETION = "9", "1"
VERSION_COLUMNS = ("submission_date", "record_version", "update_type")
# What the accepted rows of every person-level feed begin with.
PREFIX = {
    "batch": "VARCHAR",
    "record_key": "UUID",
    "record_version": "INTEGER",
    "submission_date": "DATE",
    "is_deletion": "BOOLEAN",
}
AGE_BANDS = {0: "0_5", 6: "6_17", 18: "18_64", 65: "65_84", 85: "85_plus"}
UNKNOWN_AGE = "unknown"


class PersonColumn(Strict):
    """A column of a person-level feed. `codes` are all that it may hold.

    `lengths` are those that an ODS code or a code of digits may have, `longest` that of a text.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    meaning: str
    type: Type = "text"
    required: bool = False
    sensitivity: Sensitivity
    keep: Keep = "itself"
    codes: tuple[str, ...] = ()
    lengths: tuple[int, ...] = ()
    longest: int | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        has_lengths = self.type in ("organisation_code", "digits")
        if bool(self.codes) != (self.type == "code") or bool(self.lengths) != has_lengths:
            raise ValueError(f"column {self.name}: a code, and only a code, says what is permitted")
        if self.sensitivity == "direct_identifier" and self.keep in ("itself", "instant", "instant_and_date"):
            raise ValueError(f"column {self.name}: a direct identifier is replaced or dropped, never kept")
        return self


# Columns that many feeds carry, word for word the same: a feed names them, and says whether they are required.
SHARED: dict[str, dict[str, Any]] = {
    "submission_date": {
        "meaning": "Day on which the supplier submitted this version of the record",
        "type": "date",
        "required": True,
        "sensitivity": "none",
    },
    "record_version": {
        "meaning": "Number of the version, counted up by the supplier for each record from 1",
        "type": "integer",
        "required": True,
        "sensitivity": "none",
    },
    "update_type": {
        "meaning": "9 original or replacement, 1 deletion",
        "type": "code",
        "codes": (ORIGINAL, DELETION),
        "required": True,
        "sensitivity": "none",
    },
    "provider_code": {
        "meaning": "ODS code of the organisation that provides the care",
        "type": "organisation_code",
        "lengths": (3, 5),
        "required": True,
        "sensitivity": "none",
    },
    "site_code": {
        "meaning": "ODS code of the site where the care begins",
        "type": "organisation_code",
        "lengths": (5,),
        "required": True,
        "sensitivity": "none",
    },
    "nhs_number": {
        "meaning": "NHS number, ten digits of which the last is a check digit; spaces are allowed",
        "type": "nhs_number",
        "sensitivity": "direct_identifier",
        "keep": "person_pseudonym",
    },
    "local_patient_identifier": {
        "meaning": "Number of the patient at the provider",
        "longest": 20,
        "sensitivity": "direct_identifier",
        "keep": "dropped",
    },
    "person_given_name": {
        "meaning": "Given name",
        "longest": 35,
        "sensitivity": "direct_identifier",
        "keep": "dropped",
    },
    "person_family_name": {
        "meaning": "Family name",
        "longest": 35,
        "sensitivity": "direct_identifier",
        "keep": "dropped",
    },
    "person_birth_date": {
        "meaning": "Date of birth; kept as the age band at the start of the record",
        "type": "date",
        "sensitivity": "direct_identifier",
        "keep": "age_band",
    },
    "postcode_of_usual_address": {
        "meaning": "Postcode of the usual address; its outward part is kept",
        "longest": 8,
        "sensitivity": "direct_identifier",
        "keep": "area_code",
    },
}


class End(Strict):
    """A date, or the stem of a date and time pair, that may not lie before the record's start."""

    event: str
    longest_minutes: int | None = None
    may_lie_ahead: bool = False


class Records(Strict):
    """The records of a person-level feed: their key, where a record starts and ends, and their columns in order.

    An event is a date column, or the stem `x` of a pair `x_date`, `x_time`. `own_number` is the key column that is no
    organisation; a feed about persons themselves has the NHS number there. `layouts` are those of other publications
    that hold such records.
    """

    key: tuple[str, ...] = Field(min_length=1, max_length=2)
    start: str | None = None
    ends: tuple[End, ...] = ()
    columns: tuple[PersonColumn, ...]
    layouts: tuple[OtherLayout, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _shared(cls, told: Any) -> Any:
        if isinstance(told, dict) and isinstance(told.get("columns"), list | tuple):
            columns = [
                {**SHARED.get(str(column.get("name")), {}), **column} if isinstance(column, dict) else column
                for column in told["columns"]
            ]
            return {**told, "columns": tuple(columns)}
        return told

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = [column.name for column in self.columns]
        if tuple(names[:3]) != VERSION_COLUMNS or len(set(names)) < len(names):
            raise ValueError("records begin with submission_date, record_version, update_type, and name a column once")
        if missing := [name for name in self.key if name not in names or not self.column(name).required]:
            raise ValueError(f"columns of the key that are not declared, or not required: {', '.join(missing)}")
        for event in [*([self.start] if self.start else []), *(end.event for end in self.ends)]:
            if event not in self.dates and event not in self.pairs:
                raise ValueError(f"{event} is no date column and no date and time pair")
        for column in self.columns:
            in_pair = column.name.removesuffix("_date").removesuffix("_time") in self.pairs
            if (column.type == "time" or column.keep.startswith("instant")) and not in_pair:
                raise ValueError(f"column {column.name}: a time stands beside its date, x_date and x_time")
        for layout in self.layouts:
            if unknown := set(layout.columns) - set(names):
                raise ValueError(f"layout {layout.name}: unknown columns {', '.join(sorted(unknown))}")
        return self

    def column(self, name: str) -> PersonColumn:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns in the contract's order."""
        return tuple(column.name for column in self.columns)

    @property
    def own_number(self) -> str:
        """The record's own number."""
        return self.key[-1]

    @property
    def pairs(self) -> tuple[str, ...]:
        """Stems of the date and time pairs."""
        return tuple(column.name.removesuffix("_time") for column in self.columns if column.type == "time")

    @property
    def dates(self) -> tuple[str, ...]:
        """The date columns."""
        return tuple(column.name for column in self.columns if column.type == "date")

    @property
    def event_dates(self) -> tuple[str, ...]:
        """The dates on which something happened: all but the submission and the birth."""
        return tuple(
            column.name
            for column in self.columns
            if column.type == "date" and column.keep != "age_band" and column.name != "submission_date"
        )

    def date_of(self, event: str) -> str:
        """The date column of an event."""
        return f"{event}_date" if event in self.pairs else event

    @property
    def may_lie_ahead(self) -> frozenset[str]:
        """Date columns that may lie after the submission."""
        return frozenset(self.date_of(end.event) for end in self.ends if end.may_lie_ahead)

    @property
    def kept(self) -> dict[str, str]:
        """What is kept of the columns, by name, with its SQL type; without the prefix."""
        kept: dict[str, str] = {}
        for column in self.columns:
            if column.name not in VERSION_COLUMNS:
                kept |= _kept(column)
        return kept

    def accepted_schema(self) -> dict[str, str]:
        """Columns of an accepted row with their SQL types."""
        return {**PREFIX, **self.kept}


def _kept(column: PersonColumn) -> dict[str, str]:
    stem = column.name.removesuffix("_date")
    match column.keep:
        case "itself":
            return {column.name: {"date": "DATE", "integer": "INTEGER"}.get(column.type, "VARCHAR")}
        case "instant" | "instant_and_date" if column.type == "date":
            return {f"{stem}_at": "TIMESTAMP"} | ({column.name: "DATE"} if column.keep == "instant_and_date" else {})
        case "spell_key" | "person_pseudonym":
            return {column.keep: "UUID"}
        case "age_band" | "area_code":
            return {column.keep: "VARCHAR"}
        case "covid_diagnosis":
            return {"is_covid_diagnosed": "BOOLEAN", "is_covid_primary": "BOOLEAN"}
        case _:
            return {}
