"""A release made without a refresh: a build of a few invented tables, published as a real one is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from pipelines.adapters import releases, warehouse
from tests.support.stores import Store

# What publishing leans on, and a mart that both tiers have.
BUILD = """
CREATE SCHEMA build.marts;
CREATE SCHEMA build.intermediate;
CREATE SCHEMA build.staging;
CREATE TABLE build.intermediate.int_publishing__known_forms (
    schema_name VARCHAR, organisation_view VARCHAR, mart VARCHAR, macro_name VARCHAR, definition VARCHAR
);
CREATE TABLE build.staging.stg_feeds AS
    FROM (VALUES ('ae_monthly', 'figures'), ('apc_spells', 'persons')) AS t(feed, kind);
CREATE TABLE build.marts.release AS SELECT
    '{release_id}' AS release_id, TIMESTAMP '2020-06-01 02:30:00' AS published_at, true AS is_current,
    '1' AS code_version, 1::BIGINT AS batches_accepted, 0::BIGINT AS batches_quarantined, 2::BIGINT AS row_count;
CREATE TABLE build.marts.observation AS SELECT
    'beds' AS metric_id, 'RZ1' AS org_code, 12.5::DOUBLE AS value,
    TIMESTAMP '2020-05-01' AS known_from, NULL::TIMESTAMP AS known_to;
CREATE TABLE build.marts.quality AS
    FROM (VALUES ('ae_monthly', 'counted', 3), ('apc_spells', 'counted', 4)) AS t(feed, check_id, rows);
CREATE TABLE build.marts.occupancy AS
    SELECT DATE '2020-04-01' AS date, 'published' AS basis, 7::BIGINT AS beds;
CREATE TABLE build.marts.dictionary (
    table_name VARCHAR, column_name VARCHAR, data_type VARCHAR, description VARCHAR, tier VARCHAR
);
"""
TIERS = {
    "release": "public",
    "observation": "public",
    "quality": "public",
    "dictionary": "public",
    "occupancy": "public",
}


def build(store: Store, of_persons: dict[str, str], undeclared: frozenset[str] = frozenset(), number: int = 1) -> None:
    """Make the build anew with these marts of persons (name, query) in the internal database.

    All are declared internal but those that the build has too, and those `undeclared`, which the dictionary lacks.
    """
    here = store.settings
    for path in (here.build, here.internal_build):
        path.unlink(missing_ok=True)
    with warehouse.build(here) as connection:
        connection.execute(BUILD.format(release_id=f"20200601T0230{number:02}Z-aaaaaaaa"))
        connection.execute(f"CREATE SCHEMA {warehouse.INTERNAL}.marts")
        for name, query in of_persons.items():
            connection.execute(f"CREATE TABLE {warehouse.INTERNAL}.marts.{name} AS {query}")
        tiers = {name: "internal" for name in of_persons if name not in undeclared} | TIERS
        for table, tier in tiers.items():
            declare(connection, table, tier)


def declare(connection: duckdb.DuckDBPyConnection, table: str, tier: str) -> None:
    """Write a mart and its columns, wherever they lie, into the dictionary."""
    columns = connection.execute(
        "SELECT DISTINCT column_name, data_type FROM duckdb_columns() WHERE table_name = ?", [table]
    ).fetchall()
    for column, data_type in [("", ""), *columns]:
        connection.execute(
            "INSERT INTO build.marts.dictionary VALUES (?, ?, ?, ?, ?)",
            [table, column, data_type, f"What '{table}.{column}' is", tier],
        )


def publish(store: Store) -> dict[str, Any]:
    """Publish what is built; the record of the release."""
    here = store.settings
    for folder in (here.published, here.temporary):
        folder.mkdir(parents=True, exist_ok=True)
    return releases.publish(here, [])


def opened(folder: Path, store: Store, tier: str) -> duckdb.DuckDBPyConnection:
    """A tier of a release, opened as a reader does."""
    key = warehouse.internal_key(store.settings).text if tier == "internal" else None
    return releases.open_tier(folder, tier, key)
