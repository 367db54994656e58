"""The internal tier: marts of persons are published with the file that dbt keeps them in, and with nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.adapters import releases, warehouse
from pipelines.adapters.keys import KeyMissing
from tests.support import released
from tests.support.stores import Store

WAITS = "SELECT DATE '2020-04-01' + range::INT AS date, 'RZ1' AS org_code, 250 + range AS minutes FROM range(40)"
OCCUPANCY = "SELECT DATE '2020-04-01' AS date, 'person_level' AS basis, 31::BIGINT AS beds"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store without anything."""
    return Store(tmp_path / "store")


def ask(store: Store, tier: str, sql: str) -> list[tuple[Any, ...]]:
    with released.opened(releases.current(store.settings), store, tier) as connection:
        return connection.execute(sql).fetchall()


def tables(store: Store, tier: str) -> set[str]:
    return {name for (name,) in ask(store, tier, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts'")}


def test_marts_of_persons_are_in_the_internal_tier_alone(store: Store) -> None:
    """Their rows, their meanings, their numbers of rows; and no Parquet, which would be a second way in."""
    released.build(store, {"waits": WAITS, "occupancy": OCCUPANCY})
    record = released.publish(store)
    assert tables(store, "internal") - tables(store, "public") == {"waits"}
    assert ask(store, "internal", "SELECT count(*), min(minutes) FROM marts.waits") == [(40, 250)]
    comments = ask(
        store,
        "internal",
        "SELECT comment FROM duckdb_tables() WHERE table_name = 'waits' UNION ALL "
        "(SELECT comment FROM duckdb_columns() WHERE table_name = 'waits' ORDER BY column_name)",
    )
    assert [told for (told,) in comments] == [f"What 'waits.{name}' is" for name in ("", "date", "minutes", "org_code")]
    assert (record["rows"]["waits"], record["rows"]["occupancy"]) == (40, 2)
    found = {path.parent.name for path in releases.current(store.settings).rglob("*.parquet")}
    assert found == set(released.TIERS)


def test_a_mart_of_both_has_rows_of_persons_in_the_internal_tier(store: Store) -> None:
    """Published rows and those of persons stand side by side, each under its basis; the public tier has its own."""
    released.build(store, {"occupancy": OCCUPANCY})
    released.publish(store)
    asked = "SELECT basis, beds FROM marts.occupancy ORDER BY ALL"
    assert ask(store, "internal", asked) == [("person_level", 31), ("published", 7)]
    assert ask(store, "public", asked) == [("published", 7)]


def test_the_public_tier_tells_nothing_of_persons(store: Store) -> None:
    """Also what was checked and counted about their feeds stays in the internal tier."""
    released.build(store, {"waits": WAITS})
    released.publish(store)
    asked = "SELECT feed FROM marts.quality ORDER BY ALL"
    assert ask(store, "public", asked) == [("ae_monthly",)]
    assert ask(store, "internal", asked) == [("ae_monthly",), ("apc_spells",)]


def test_without_persons_there_is_nothing_of_them(store: Store) -> None:
    """No person-level feed yet: marts that are declared and were never built, or built empty, stop nothing."""
    released.build(store, {"waits": f"{WAITS} WHERE false", "later": WAITS})
    with warehouse.build(store.settings) as connection:
        connection.execute("DROP TABLE internal.marts.later")
    record = released.publish(store)
    assert (record["rows"]["waits"], record["rows"].get("later")) == (0, None)
    store.settings.internal_build.unlink()
    released.build(store, {}, number=2)
    released.publish(store)
    assert tables(store, "internal") == tables(store, "public") == set(released.TIERS)


def test_a_mart_that_the_project_has_no_more_is_dropped(store: Store) -> None:
    """The file is published whole, so what nobody declares any more may not lie in it."""
    released.build(store, {"waits": WAITS, "forgotten": WAITS}, undeclared=frozenset({"forgotten"}))
    released.publish(store)
    assert "forgotten" not in tables(store, "internal")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("CREATE TABLE internal.marts.stays AS SELECT uuid() AS person_pseudonym", "stays, column person_pseudonym"),
        ("CREATE TABLE internal.marts.stays AS SELECT [uuid()] AS keys", "stays, column keys"),
        ("CREATE TABLE internal.main.stays AS SELECT 1 AS n", "main.stays lies in the internal database"),
        ("CREATE VIEW internal.marts.stays AS SELECT 1 AS n", "marts.stays lies in the internal database"),
        ("UPDATE build.marts.dictionary SET tier = 'public' WHERE table_name = 'waits'", "waits lies in the internal"),
    ],
)
def test_what_may_not_leave_stops_the_release(store: Store, wrong: str, says: str) -> None:
    """Pseudonyms, tables of the work, a mart of persons that is declared public: yesterday's release stays served."""
    released.build(store, {"waits": WAITS})
    released.publish(store)
    before = releases.current(store.settings)
    released.build(store, {"waits": WAITS}, number=2)
    with warehouse.build(store.settings) as connection:
        connection.execute(wrong)
        if "marts.stays" in wrong:
            released.declare(connection, "stays", "internal")
    with pytest.raises(releases.Unpublishable, match=says):
        released.publish(store)
    assert releases.current(store.settings) == before
    assert [path.name for path in store.settings.published.iterdir() if path.name != "current"] == [before.name]


def test_the_copy_is_the_readers_own(store: Store) -> None:
    """A reader keeps the rows of the release that it opened while the build goes on in its own file."""
    released.build(store, {"waits": WAITS})
    released.publish(store)
    with released.opened(releases.current(store.settings), store, "internal") as reader:
        with warehouse.build(store.settings) as connection:
            connection.execute("DELETE FROM internal.marts.waits")
            connection.execute("CHECKPOINT internal")
        assert reader.execute("SELECT count(*) FROM marts.waits").fetchall() == [(40,)]


def test_a_lost_key_of_the_internal_tier_is_not_made_anew(store: Store) -> None:
    """As for the build: a new key of its name would hide the loss. Without the file there is nothing to lose."""
    released.build(store, {"waits": WAITS})
    (store.settings.keys / "internal_tier.1.key").unlink()
    with pytest.raises(KeyMissing, match=r"internal_tier\.1"), warehouse.build(store.settings):
        pass
    assert not list(store.settings.keys.glob("internal_tier*"))
    store.settings.internal_build.unlink()
    with warehouse.build(store.settings):
        assert list(store.settings.keys.glob("internal_tier*"))


def test_one_transaction_writes_one_database(store: Store) -> None:
    """DuckDB's own rule, on which each model of dbt is a transaction of its own: known here when it changes."""
    with warehouse.build(store.settings) as connection:
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE build.main.a (n INTEGER)")
        with pytest.raises(duckdb.Error, match="single attached database"):
            connection.execute("CREATE TABLE internal.main.b (n INTEGER)")
