"""The dbt tests that say what every feed and every subject mart keeps: one planted fault for each thing they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.stores import Store

CELL: dict[str, Any] = {
    "batch": "b",
    "record": "provider",
    "org_code": "RA1",
    "region_code": "Y56",
    "metric_id": "base",
    "period_start": "2020-01-01",
    "period_end": "2020-01-01",
    "value": 1.0,
    "status": "reported",
    "status_reason": None,
}
ROW: dict[str, Any] = {
    "organisation_view": "as_reported",
    "snapshot_date": "2020-01-01",
    "org_level": "trust",
    "org_code": "RA1",
    "org_name": "A trust",
    "status": "reported",
}
BROKEN_CELLS: list[tuple[dict[str, Any], str]] = [
    ({}, "stands twice, or lacks a part of its key"),
    ({"batch": None}, "stands twice, or lacks a part of its key"),
    ({"org_code": "RA2", "record": "total"}, "neither a figure nor a printed total"),
    ({"org_code": "RA2", "value": None}, "value and state disagree"),
    ({"org_code": "RA2", "status": "suppressed"}, "value and state disagree"),
    ({"org_code": "RA2", "status": "unheard_of"}, "value and state disagree"),
    ({"org_code": "RA2", "status_reason": "for once"}, "value and state disagree"),
    ({"org_code": "RA2", "metric_id": "derived"}, "not a base metric of the feed"),
    ({"org_code": "RA2", "metric_id": "of_another_feed"}, "not a base metric of the feed"),
]
BROKEN_ROWS: list[dict[str, Any]] = [
    {},
    {"org_code": None},
    {"org_code": "RA2", "organisation_view": "as_ever"},
    {"org_code": "RA2", "org_level": "ward"},
    {"org_code": "RA2", "org_level": None},
    {"org_code": "RA2", "org_name": None},
    {"org_code": "RA2", "status": "unheard_of"},
    {"org_code": "RA2", "status": None},
]


def found(store: Store, test: str, table: str, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What a test, as dbt compiled it for the store's last refresh, says of these rows."""
    [sql] = (store.home / "dbt/target/run/compiled").rglob(f"{test}*.sql")
    with duckdb.connect() as connection:
        connection.execute("ATTACH ':memory:' AS build")
        for schema in ("seeds", table.split(".")[0]):
            connection.execute(f"CREATE SCHEMA build.{schema}")
        connection.execute(
            "CREATE TABLE build.seeds.metrics AS SELECT * FROM (VALUES ('base', 'uec_sitrep', true), "
            "('derived', 'uec_sitrep', false), ('of_another_feed', 'kh03_beds', true)) AS m(metric_id, feed, is_base)"
        )
        columns = ", ".join(f"{name} {'DOUBLE' if name == 'value' else 'VARCHAR'}" for name in rows[0])
        connection.execute(f"CREATE TABLE build.{table} ({columns})")
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO build.{table} VALUES ({marks})", [list(row.values()) for row in rows])
        return connection.execute(Path(sql).read_text()).fetchall()


@pytest.mark.parametrize(("fault", "says"), BROKEN_CELLS)
def test_a_broken_cell_of_a_feed_is_found(built_datastore: Store, fault: dict[str, Any], says: str) -> None:
    of_feed = ("figures_of_a_feed_stg_uec_sitrep", "staging.stg_uec_sitrep")
    assert found(built_datastore, *of_feed, [CELL]) == []
    assert [row[0] for row in found(built_datastore, *of_feed, [CELL, CELL | fault])] == [says]


@pytest.mark.parametrize("fault", BROKEN_ROWS)
def test_a_broken_row_of_a_mart_is_found(built_datastore: Store, fault: dict[str, Any]) -> None:
    of_mart = ("rows_of_a_subject_long_stay_da", "marts.long_stay_daily")  # dbt cuts long names
    assert found(built_datastore, *of_mart, [ROW]) == []
    assert len(found(built_datastore, *of_mart, [ROW, ROW | fault])) == 1
