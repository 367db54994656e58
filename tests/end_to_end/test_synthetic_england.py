"""The whole road on the synthetic England, whose truth is known."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import os
import stat
from pathlib import Path

import duckdb
import pytest

from pipelines.adapters import releases
from tests.support.stores import Store


def public(store: Store) -> duckdb.DuckDBPyConnection:
    """The served public tier."""
    return duckdb.connect(str(store.home / "published/current/public/datastore.duckdb"), read_only=True)


def truth(store: Store, name: str) -> list[dict[str, str]]:
    """A table of the truth, as text."""
    with (store.home / "synthetic/truth" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def number(text: str) -> float | None:
    return float(text) if text else None


def day(text: str) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def test_every_observation_and_version_is_the_truth(built_datastore: Store) -> None:
    with public(built_datastore) as connection:
        ours = {
            tuple(row[:4]): row[4:]
            for row in connection.execute(
                "select o.metric_id, o.org_code, o.period_start, o.known_from, o.value, o.known_to "
                "from marts.observation as o join marts.metric as m using (metric_id) where m.is_base"
            ).fetchall()
        }
    told = {
        (
            row["metric_id"],
            row["org_code"],
            dt.date.fromisoformat(row["period_start"]),
            day(row["known_from"]),
        ): (number(row["value"]), day(row["known_to"]))
        for row in truth(built_datastore, "observation")
    }
    assert len(told) > 40_000
    assert [key for key in told if ours.get(key) != told[key]][:5] == []
    assert len(ours) == len(told)


def test_ae_performance_is_the_truth(built_datastore: Store) -> None:
    with public(built_datastore) as connection:
        ours = {
            (month.isoformat(), code, department): figures
            for month, code, department, *figures in connection.execute(
                "select month, org_code, department_type, attendances, over_four_hours, four_hour_attendances, "
                "within_four_hours_rate from marts.ae_performance_monthly"
            ).fetchall()
        }
    rows = truth(built_datastore, "ae_performance")
    assert rows
    for row in rows:
        attendances, over, seen, rate = ours[(row["month"], row["org_code"], row["department_type"])]
        told = [
            number(row[name])
            for name in ("attendances", "over_four_hours", "four_hour_attendances", "within_four_hours_rate")
        ]
        assert [attendances, over, seen] == told[:3], row
        assert (rate is None) == (told[3] is None) and (rate is None or abs(rate - told[3]) < 1e-9), row


def test_occupancy_of_england_is_the_truth(built_datastore: Store) -> None:
    with public(built_datastore) as connection:
        ours = {
            (on.isoformat(), bed_type): figures
            for on, bed_type, *figures in connection.execute(
                "select snapshot_date, bed_type, open_beds, occupied_beds, covid_occupied_beds, occupancy_rate "
                "from marts.occupancy_daily where org_level = 'nation'"
            ).fetchall()
        }
    rows = truth(built_datastore, "occupancy")
    assert len(rows) == len(ours)
    for row in rows:
        *beds, rate = ours[(row["snapshot_date"], row["bed_type"])]
        told = [number(row[name]) for name in ("open_beds", "occupied_beds", "covid_occupied_beds", "occupancy_rate")]
        assert beds == told[:3], row
        assert (rate is None) == (told[3] is None) and (rate is None or abs(rate - told[3]) < 1e-9), row


def test_organisations_are_the_truth(built_datastore: Store) -> None:
    rows = truth(built_datastore, "organisations")
    columns = list(rows[0])
    with public(built_datastore) as connection:
        found = connection.execute(
            f"select {', '.join(columns)} from marts.organisation where org_level not in ('nation', 'region', 'icb')"
        ).fetchall()
    ours = {row[0]: ["" if value is None else str(value) for value in row] for row in found}
    assert [row for row in rows if ours.get(row["org_code"]) != list(row.values())][:5] == []
    assert len(ours) == len(rows)


def test_field_test_trusts_are_found_by_rule(built_datastore: Store) -> None:
    with public(built_datastore) as connection:
        found = connection.execute(
            "select distinct org_code from marts.quality where check_id = 'ae_monthly.field_test_trusts'"
        ).fetchall()
    assert {code for (code,) in found} == {row["org_code"] for row in truth(built_datastore, "field_test")}
    assert len(found) == 14


def test_what_was_known_then(built_datastore: Store) -> None:
    """`as_known_on(d)` is what the versions known at the end of d were."""
    versions = truth(built_datastore, "observation")
    for on in ("2020-12-09", "2020-12-10", "2020-12-17", "2021-01-21"):
        end = dt.datetime.fromisoformat(on) + dt.timedelta(days=1)
        told = sum(
            day(row["known_from"]) < end and (not row["known_to"] or day(row["known_to"]) >= end) for row in versions
        )
        with public(built_datastore) as connection:
            [(known,)] = connection.execute(
                f"select count(*) from marts.as_known_on('{on}') join marts.metric using (metric_id) where is_base"
            ).fetchall()
        assert known == told, on


def test_every_table_and_column_is_commented_and_in_the_dictionary(built_datastore: Store) -> None:
    with public(built_datastore) as connection:
        columns = connection.execute(
            "select table_name, column_name, data_type, comment from duckdb_columns() where schema_name = 'marts'"
        ).fetchall()
        tables = connection.execute(
            "select table_name, '', '', comment from duckdb_tables() where schema_name = 'marts'"
        ).fetchall()
        dictionary = connection.execute("select table_name, column_name, description from marts.dictionary").fetchall()
    assert {(table, column, comment) for table, column, _, comment in columns + tables} == set(dictionary)
    assert all(description for _, _, description in dictionary)


def test_public_tier_is_plain_and_internal_tier_needs_its_key(built_datastore: Store) -> None:
    folder = built_datastore.home / "published/current"
    for tier in ("public", "internal"):
        path = folder / tier / "datastore.duckdb"
        assert stat.S_IMODE(path.stat().st_mode) == 0o444
    with pytest.raises(duckdb.Error):
        duckdb.connect(str(folder / "internal/datastore.duckdb"), read_only=True)
    key = (built_datastore.home / "keys/internal_tier.1.key").read_text()
    asked = "select count(*) as n from marts.observation"
    refused = built_datastore.run("query", asked, "--tier", "internal", stdin="d3Jvbmc=\n")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    opened = built_datastore.run("query", asked, "--tier", "internal", "--json", stdin=key)
    assert json.loads(opened.stdout) == built_datastore.ask(asked)


def test_same_batches_same_parquet_and_seven_releases_kept(built_datastore: Store, tmp_path: Path) -> None:
    store = built_datastore.copy(tmp_path / "store")
    first = digests(store)
    done = store.run("refresh", "--json")
    assert done.returncode == 0, done.stderr
    assert digests(store) == first
    served = store.home / "published/current"
    for number in range(releases.KEPT + 2):
        releases_folder = store.home / "published" / f"20000101T00000{number}Z-old"
        releases_folder.mkdir()
        (releases_folder / "release.json").write_text(
            json.dumps({"release_id": releases_folder.name, "published_at": "2000-01-01T00:00:00+00:00", "rows": {}})
        )
    assert store.run("refresh").returncode == 0
    kept = releases.kept(store.settings)
    assert len(kept) == releases.KEPT and kept[-1] == served.resolve()


def digests(store: Store) -> dict[str, str]:
    """SHA-256 of every public Parquet file but those that carry times of running."""
    folder = store.home / "published/current/public/parquet"
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.parquet"))
        if path.stem not in ("quality", "release")
    }


def test_a_failed_gate_leaves_the_release_and_marks_it_stale(built_datastore: Store, tmp_path: Path) -> None:
    """A rule is tightened after acceptance: the batch that now breaks it stops the refresh, the release stays."""
    store = built_datastore.copy(tmp_path / "store")
    before = os.readlink(store.home / "published/current")
    held = next((store.home / "landing/ods_trusts").glob("[0-9a-f]*/checks.json"))
    checks = json.loads(held.read_text())
    checks["checks"][0] |= {"passed": False, "broken": 1}
    held.write_text(json.dumps(checks))
    done = store.run("refresh")
    assert done.returncode == 4
    assert "landing/ods_trusts" in done.stderr and "Traceback" not in done.stderr
    assert os.readlink(store.home / "published/current") == before
    status = json.loads(store.run("status", "--json").stdout)
    assert status["release"]["release_id"] == before and status["release"]["is_stale"]


def test_bad_questions_get_one_line(built_datastore: Store) -> None:
    for sql in (
        "selec 1",
        "select * from marts.nothing",
        "create table marts.x (a int)",
        "delete from marts.observation",
        "select 1; select 2",
        "copy marts.metric to '/tmp/out.csv'",
        "select * from read_csv('/etc/passwd')",
        "attach '/tmp/x.duckdb'",
        "",
    ):
        done = built_datastore.run("query", sql)
        assert done.returncode == 2, sql
        assert len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr, (sql, done.stderr)


def test_a_refresh_shows_as_a_run_of_the_nightly_job(built_datastore: Store) -> None:
    import sqlite3

    runs = sqlite3.connect(built_datastore.home / "dagster/history/runs.db").execute(
        "select pipeline_name, status from runs"
    )
    assert ("nightly_refresh", "SUCCESS") in runs.fetchall()


def test_only_the_published_folder_can_be_entered_by_others(built_datastore: Store) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in built_datastore.home.iterdir() if path.is_dir()}
    assert stat.S_IMODE(built_datastore.home.stat().st_mode) == 0o711
    assert modes.pop("published") == 0o755
    modes.pop("synthetic")  # invented, and no zone of the store
    assert set(modes.values()) == {0o700}, modes
