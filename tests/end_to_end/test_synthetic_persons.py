"""The whole road of persons' records on the synthetic England, whose truth is known."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from tests.support.stores import Store

# Key of each mart that the truth tells, and what of it the truth tells.
MARTS = {
    "ae_waiting_times_daily": ("date", "org_level", "org_code", "department_type"),
    "ae_department_now": ("hour_at", "org_level", "org_code", "department_type"),
    "reattendance_daily": ("date", "org_level", "org_code"),
    "occupancy_hourly": ("hour_at", "org_level", "org_code", "bed_type"),
    "occupancy_daily": ("snapshot_date", "org_level", "org_code", "bed_type"),
    "length_of_stay": ("admission_month", "org_level", "org_code", "covid_group", "age_band", "critical_care_use"),
    "admissions_daily": ("date", "org_level", "org_code"),
    "rejected_rows": ("feed", "batch", "reason_code"),
}
ONLY = {"occupancy_daily": " where basis = 'person_level'"}


def internal(store: Store, sql: str) -> list[dict[str, Any]]:
    """The rows of a query on the internal tier."""
    answer = store.run("query", sql, "--tier", "internal", "--json")
    assert answer.returncode == 0, answer.stderr
    return list(json.loads(answer.stdout))


def truth(store: Store, name: str) -> list[dict[str, str]]:
    """A table of the truth, as text."""
    with (store.home / "synthetic/truth/persons" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def cell(value: Any) -> str:
    """A value as it is compared: numbers to six places."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    try:
        return f"{float(value):.6f}"
    except ValueError:
        return str(value)


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_is_the_truth(built_datastore: Store, mart: str) -> None:
    """Every organisation at every level; of marts by hour the hours that the truth tells, and the horizon."""
    told = truth(built_datastore, mart)
    keys = MARTS[mart]
    columns = [column for column in told[0] if column != "file"]
    found = internal(built_datastore, f"select {', '.join(columns)} from marts.{mart}{ONLY.get(mart, '')}")
    if "hour_at" in columns:
        hours = {row["hour_at"] for row in told}
        found = [row for row in found if row["hour_at"] in hours]
    theirs = {tuple(cell(row[key]) for key in keys): [cell(row[column]) for column in columns] for row in found}
    ours = {tuple(cell(row[key]) for key in keys): [cell(row[column]) for column in columns] for row in told}
    # What is absent reads as zero: a row of nothing but zeros is as good as none.
    surplus = {
        key: row
        for key, row in theirs.items()
        if key not in ours and any(value not in ("", "false", "true", "0.000000") for value in row[len(keys) :])
    }
    wrong = [(key, row, theirs.get(key)) for key, row in ours.items() if theirs.get(key) != row]
    assert (wrong[:3], len(wrong)) == ([], 0)
    assert list(surplus.items())[:3] == []
    assert len(ours) > 30


def test_what_is_planted_is_found(built_datastore: Store) -> None:
    """The provider that lost a tenth of its attendances and the one whose census is short come first of their pairs."""
    planted = {row["what"]: row for row in truth(built_datastore, "planted")}
    for what, pair in (("lost_attendances", "person_attendances"), ("short_census", "person_occupancy")):
        rows = internal(
            built_datastore,
            "select org_code, relative_difference, rank, is_within from marts.person_reconciliation "
            f"where pair_id = '{pair}' and is_comparable order by rank",
        )
        assert rows[0]["org_code"] == planted[what]["org_code"]
        assert rows[0]["relative_difference"] == pytest.approx(-float(planted[what]["size"]), abs=0.01)
        assert {row["org_code"] for row in rows if not row["is_within"]} == {planted[what]["org_code"]}
        assert any(row["is_within"] for row in rows)
