"""Specifications as tables: what was published in, what a mart or a rule says out. One YAML file each in tests/spec.

`docs/generated/metrics.md` shows the same files, so a table is written as one: columns between `|`, nothing for null.
Persons and their records have short names there, and stand in the rows under identifiers made from those.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.adapters import catalogue
from pipelines.adapters.generated_docs import lines_of
from pipelines.domain.feeds import FIGURES, NOT_REPORTED, PROVIDER, REPORTED
from tests.support import oracle
from tests.support.oracle.layouts import LAYOUTS
from tests.support.person_rows import identifier


def table(text: str) -> list[dict[str, str | None]]:
    """The rows of a table of text, cells as text, empty ones as None."""
    head, *lines = lines_of(text)
    return [dict(zip(head, [cell or None for cell in line], strict=True)) for line in lines]


def sources(spec: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What a specification says was published or accepted, as rows of the dbt project's sources.

    A table of figures has organisation, metric and period (a day, or first and last day with `to` between), value
    and, where they matter, status, reason, region and publication (the day it was published; one batch a day).
    A table of person-level rows has columns of the accepted rows, `_at` in UTC; what `USUAL` says of the others.
    """
    rows: dict[str, list[dict[str, Any]]] = {"batches": []}
    for feed, text in spec.get("published", {}).items():
        declared = catalogue.feed(feed)
        lines = table(text)
        for number, line in enumerate(lines, start=1):
            known = line.pop("publication", None) or spec.get("publication", "2020-01-01")
            if declared.kind == "figures":
                row = _figure(line, number)
            else:
                row = {"source_row": number, **{name: _typed(value) for name, value in line.items()}}
            rows.setdefault(feed, []).append(row | {"batch": _batch(rows, feed, str(known))})
    for feed, text in spec.get("accepted", {}).items():
        for line in table(text):
            submitted = line.get("submission_date") or str(spec["submitted"])
            batch = _batch(rows, feed, submitted)
            rows.setdefault(feed, []).append(_person_row(feed, line, submitted) | {"batch": batch})
    if "accepted" in spec:
        rows["person_rules"] = [{"opt_outs_apply": False}]
        rows["sent_order"] = _sent_order(spec["accepted"])
    return rows


def _figure(line: dict[str, str | None], number: int) -> dict[str, Any]:
    first, _, last = str(line["period"]).partition(" to ")
    value = float(line["value"]) if line["value"] is not None else None
    row: dict[str, Any] = dict.fromkeys(FIGURES)
    return row | {
        "record": PROVIDER,
        "org_code": line["organisation"],
        "org_name": line["organisation"],
        "region_code": line.get("region"),
        "metric_id": line["metric"],
        "period_start": dt.date.fromisoformat(first),
        "period_end": dt.date.fromisoformat(last or first),
        "value": value,
        "status": line.get("status") or (REPORTED if value is not None else NOT_REPORTED),
        "status_reason": line.get("reason"),
        "source_row": number,
        "source_column": "A",
    }


def _batch(rows: dict[str, list[dict[str, Any]]], feed: str, known: str) -> str:
    """The batch of a feed that was published on a day; put among the batches when it is the first row of it."""
    batch = hashlib.sha256(f"{feed} {known}".encode()).hexdigest()
    if batch in {one["batch"] for one in rows["batches"]}:
        return batch
    published = dt.datetime.fromisoformat(known)
    rows["batches"].append(
        {
            "batch": batch,
            "feed": feed,
            "file_name": feed,
            "received_at": dt.datetime(2022, 1, 1),
            "published_on": published.date(),
            "known_from": published,
            "verdict": "accepted",
        }
    )
    return batch


# What a table of person-level rows leaves out, `docs/generated/metrics.md` tells it: an adult's first, unplanned
# attendance at a type 1 department, an emergency admission to an ordinary bed, a positive test, adult critical care.
USUAL: dict[str, dict[str, Any]] = {
    "ecds_attendances": {
        "provider_code": "ZA1",
        "site_code": "ZA101",
        "age_band": "18_64",
        "ec_department_type": "01",
        "ec_attendance_category": "1",
    },
    "apc_spells": {
        "provider_code": "ZA1",
        "site_code": "ZA101",
        "age_band": "18_64",
        "patient_classification": "1",
        "admission_method": "21",
        "treatment_function_code": "300",
        "is_covid_diagnosed": False,
        "is_covid_primary": False,
    },
    "covid_tests": {"reporting_lab_code": "LAB1", "age_band": "18_64", "test_result": "positive"},
    "critical_care_periods": {"provider_code": "ZA1", "critical_care_unit_function": "01"},
}
LONDON = ZoneInfo("Europe/London")


def _person_row(feed: str, line: dict[str, str | None], submitted: str) -> dict[str, Any]:
    row: dict[str, Any] = USUAL.get(feed, {}) | {"record_version": 1, "is_deletion": False}
    for name, value in line.items():
        if name in ("record_key", "person_pseudonym", "spell_key"):
            row[name] = value and identifier(value)
        elif name.endswith("_at"):
            row[name] = value and dt.datetime.fromisoformat(value)
        elif name.startswith("is_"):
            row[name] = value == "true"
        else:
            row[name] = int(value or "") if name == "record_version" else _dated(name, value)
    for event in ("arrival", "admission", "discharge"):
        if instant := row.get(f"{event}_at"):
            row[f"{event}_date"] = instant.replace(tzinfo=dt.UTC).astimezone(LONDON).date()
    return row | {"submission_date": dt.date.fromisoformat(submitted)}


def _dated(name: str, value: str | None) -> Any:
    return dt.date.fromisoformat(value) if value and name.endswith("_date") else value


def _sent_order(accepted: dict[str, str]) -> list[dict[str, Any]]:
    """The order of records that tie: that of their names."""
    names = sorted({str(line["record_key"]) for text in accepted.values() for line in table(text)})
    return [{"record_key": identifier(name), "ordinal": place} for place, name in enumerate(names, start=1)]


def _typed(value: str | None) -> Any:
    try:
        return dt.date.fromisoformat(value or "")
    except ValueError:
        return value


def _empty(feed: str) -> dict[str, Any]:
    """A record of a feed that says nothing."""
    layout = LAYOUTS[feed]
    dates = [column.name for column in layout.columns if column.kind == "date"]
    return dict.fromkeys([*layout.kept, *dates, *(f"{pair}_at" for pair in layout.pairs)])


def records(spec: dict[str, Any]) -> oracle.Records:
    """What a specification says was accepted, as the oracle has records: persons and numbers are the short names."""
    accepted = []
    for feed, text in spec["accepted"].items():
        for number, line in enumerate(table(text), start=1):
            submitted = line.get("submission_date") or str(spec["submitted"])
            values = _empty(feed) | _person_row(feed, line, submitted)
            of_whom = values.get("provider_code") or values.get("reporting_lab_code") or values.get("gp_practice_code")
            accepted.append(
                oracle.Accepted(
                    feed,
                    submitted,
                    number,
                    (str(of_whom), str(line["record_key"])),
                    values["record_version"],
                    values["submission_date"],
                    values["is_deletion"],
                    {**values, "nhs_number": line.get("person_pseudonym")}
                    | {"hospital_provider_spell_number": line.get("spell_key")},
                )
            )
    published = {feed: table(text) for feed, text in spec.get("published", {}).items()}
    statements = [
        oracle.Statement(
            dt.date.fromisoformat(str(line["publication"])),
            str(line["org_code"]),
            line["region_code"],
            line["geography_code"],
        )
        for line in published.get("ods_trusts", [])
    ]
    successions = [
        oracle.Succession(
            str(line["org_code"]), str(line["successor_code"]), dt.date.fromisoformat(str(line["effective_date"]))
        )
        for line in published.get("ods_succession", [])
    ]
    return oracle.records(accepted, oracle.Organisations(tuple(statements), tuple(successions)))
