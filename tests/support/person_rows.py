"""Rows of person-level feeds as the accepted zone keeps them, made from what the oracle knows."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import duckdb
import polars as pl

from tests.support import oracle
from tests.support.oracle.reading import Accepted
from tests.support.person_window import Window

NAMES = uuid.UUID("00000000-0000-0000-0000-000000000999")
# Columns of a mart that the oracle leaves to other tests, or that no person-level feed can fill.
NOT_TOLD = ("org_name", "status", "scope_break", "core_beds", "escalation_beds")
KEYS = {
    "date",
    "hour_at",
    "snapshot_date",
    "admission_month",
    "org_level",
    "org_code",
    "department_type",
    "bed_type",
    "basis",
    "covid_group",
    "age_band",
    "critical_care_use",
    "is_latest",
    "orgs_expected",
    "orgs_reported",
}

# Columns of the key that are kept as they are sent, deletions' too.
ORGANISATION = {
    "ecds_attendances": "provider_code",
    "apc_spells": "provider_code",
    "critical_care_periods": "provider_code",
    "covid_tests": "reporting_lab_code",
    "gp_registrations": "gp_practice_code",
}

Rows = dict[str, list[dict[str, Any]]]


def identifier(*names: str) -> str:
    """A UUID that stands for a person or a record, the same for the same names."""
    return str(uuid.uuid5(NAMES, "\x1f".join(names)))


def accepted_rows(accepted: list[Accepted], identify: Callable[..., str] = identifier) -> Rows:
    """Accepted rows as the accepted zone keeps them, by feed: equal copies in one file are one row.

    `identify` makes an identifier of a feed, an organisation and a number; or of `person` and an NHS number.
    """
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    versions = {
        (one.feed, one.batch, one.key, one.record_version, one.submission_date, one.is_deletion): one
        for one in accepted
    }
    for one in versions.values():
        # Of a deletion the key is kept: an organisation, and what has become of the number.
        kept: dict[str, Any] = {ORGANISATION[one.feed]: one.key[0]} if one.feed in ORGANISATION else {}
        kept |= one.values
        nhs_number = one.key[0] if one.feed == "data_opt_outs" else kept.get("nhs_number")
        spell = kept.get("hospital_provider_spell_number")
        row = {
            **kept,
            "batch": one.batch,
            "record_key": identify("person" if one.feed == "data_opt_outs" else one.feed, *one.key),
            "record_version": one.record_version,
            "submission_date": one.submission_date,
            "is_deletion": one.is_deletion,
            "person_pseudonym": nhs_number and identify("person", nhs_number),
            "spell_key": spell and identify("apc_spells", kept["provider_code"], spell),
        }
        rows[one.feed].append(row)
    return rows


def sources(
    accepted: list[Accepted], window: Window, organisations: oracle.Organisations, opt_outs_apply: bool = False
) -> Rows:
    """Everything that the dbt project reads of a store: accepted rows, batches, lists of organisations, rules."""
    rows: Rows = dict(accepted_rows(accepted))
    published = {(one.feed, one.batch): dt.datetime(2021, 1, 1) for one in accepted}
    rows["ods_trusts"] = [
        {
            "batch": f"trusts {one.stated_on}",
            "org_code": one.provider_code,
            "org_name": f"Trust {one.provider_code}",
            "region_code": one.region_code,
            "geography_code": one.icb_code,
        }
        for one in organisations.statements
    ]
    published |= {
        ("ods_trusts", f"trusts {one.stated_on}"): dt.datetime.combine(one.stated_on, dt.time())
        for one in organisations.statements
    }
    rows["ods_succession"] = [
        {
            "batch": "successions",
            "org_code": one.org_code,
            "successor_code": one.successor_code,
            "effective_date": one.effective_date,
        }
        for one in organisations.successions
    ]
    published["ods_succession", "successions"] = dt.datetime.combine(window.last, dt.time())
    rows["batches"] = [
        {
            "batch": batch,
            "feed": feed,
            "file_name": feed,
            "received_at": dt.datetime(2022, 1, 1),
            "published_on": known_from.date(),
            "known_from": known_from,
            "verdict": "accepted",
        }
        for (feed, batch), known_from in published.items()
    ]
    rows["person_rules"] = [{"opt_outs_apply": opt_outs_apply}]
    # Order as sent: of every record, so that whichever tie is told apart.
    keys = sorted({(one.feed, *one.key) for one in accepted if one.feed != "data_opt_outs"})
    rows["sent_order"] = [{"record_key": identifier(*key), "ordinal": place} for place, key in enumerate(keys, 1)]
    return rows


def comparable(rows: list[dict[str, Any]]) -> set[tuple[tuple[str, Any], ...]]:
    """Rows of a mart as they are compared: without what the oracle does not tell and without rows of zeros alone."""
    compared = set()
    for row in rows:
        told = {name: value for name, value in row.items() if name not in NOT_TOLD}
        if any(value not in (None, 0) for name, value in told.items() if name not in KEYS):
            compared.add(tuple(sorted((name, _rounded(value)) for name, value in told.items())))
    return compared


def _rounded(value: Any) -> Any:
    """Numbers as floats of six places, so that 1 and 1.0 are equal, and sums in another order too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return round(float(value), 6)


def as_marts(records: oracle.Records, marts: list[str]) -> duckdb.DuckDBPyConnection:
    """What the oracle says of records, as tables of schema `marts`."""
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE SCHEMA marts")
    for mart in dict.fromkeys(marts):
        frame = pl.DataFrame(oracle.MARTS[mart](records), infer_schema_length=None)
        connection.register("frame", frame)
        connection.execute(f"CREATE TABLE marts.{mart} AS SELECT * FROM frame")
        connection.unregister("frame")
    return connection


def rows_of(connection: duckdb.DuckDBPyConnection, mart: str) -> list[dict[str, Any]]:
    """The rows of a mart."""
    found = connection.execute(f"SELECT * FROM marts.{mart}")
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
