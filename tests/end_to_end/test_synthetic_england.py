"""The whole road on the synthetic England, whose truth is known."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import stat
from pathlib import Path

import duckdb
import pytest

from pipelines.adapters import releases
from pipelines.adapters.keys import KeyStore
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
    """Every figure of every feed: its value, state and period, and from when to when it was known."""
    with public(built_datastore) as connection:
        ours = {
            tuple(row[:4]): row[4:]
            for row in connection.execute(
                "select o.metric_id, o.org_code, o.period_start, o.known_from, o.value, o.known_to, o.period_end, "
                "o.status "
                "from marts.observation as o "
                "join marts.metric as m on o.metric_id = m.metric_id and m.is_current where m.is_base"
            ).fetchall()
        }
    told = {
        (
            row["metric_id"],
            row["org_code"],
            dt.date.fromisoformat(row["period_start"]),
            day(row["known_from"]),
        ): (number(row["value"]), day(row["known_to"]), dt.date.fromisoformat(row["period_end"]), row["status"])
        for row in truth(built_datastore, "observation")
    }
    assert len(told) > 80_000
    assert [(key, told[key], ours.get(key)) for key in told if ours.get(key) != told[key]][:5] == []
    assert len(ours) == len(told)


MARTS = {
    "ae_performance_monthly": ("month", "org_level", "org_code", "department_type"),
    "occupancy_daily": ("snapshot_date", "org_level", "org_code", "bed_type", "basis"),
    "occupancy_quarterly": ("quarter_start", "org_level", "org_code", "sector"),
    "long_stay_daily": ("snapshot_date", "org_level", "org_code"),
    "covid_admissions_daily": ("date", "org_level", "org_code"),
    "ae_pressure_daily": ("date", "org_level", "org_code"),
    "covid_deaths_daily": ("date", "org_level", "org_code"),
    "vaccinations_weekly": ("week_ending", "org_level", "org_code", "age_band"),
}
SCHEMAS = {"as_reported": "marts", "as_at_date": "marts_as_at_date", "as_current": "marts_as_current"}


@pytest.mark.parametrize("mart", MARTS)
def test_a_mart_is_the_truth_in_every_view(built_datastore: Store, mart: str) -> None:
    """England, regions, ICBs and trusts; in the re-expressed views of the trusts those that an event concerns."""
    told: dict[str, dict[tuple[str, ...], dict[str, str]]] = {}
    for row in truth(built_datastore, mart):
        view = row.pop("organisation_view", "as_reported")
        told.setdefault(view, {})[tuple(row.pop(key) for key in MARTS[mart])] = row
    for view, rows in told.items():
        columns = list(next(iter(rows.values())))
        with public(built_datastore) as connection:
            found = connection.execute(
                f"select {', '.join((*MARTS[mart], *columns))} from {SCHEMAS[view]}.{mart}"
            ).fetchall()
        ours = {tuple(map(str, row[: len(MARTS[mart])])): row[len(MARTS[mart]) :] for row in found}
        for key, row in rows.items():
            for column, figure in zip(columns, ours[key], strict=True):
                if isinstance(figure, int | float):
                    assert figure == pytest.approx(number(row[column]), abs=1e-9), (view, key, column)
                else:
                    assert (figure or "") == row[column], (view, key, column)
        levels = {"nation", "region", "icb"} | ({"trust"} if view == "as_reported" else set())
        at = MARTS[mart].index("org_level")
        assert {key for key in ours if key[at] in levels} <= rows.keys(), view


def test_revisions_are_the_truth(built_datastore: Store) -> None:
    """What changed between publications, and what a later one left out."""
    with public(built_datastore) as connection:
        ours = connection.execute(
            "select metric_id, org_code, period_start, period_end, known_before, revised_at, value_before, "
            "value_after, status_before, status_after from marts.revision"
        ).fetchall()
    told = {
        (
            row["metric_id"],
            row["org_code"],
            dt.date.fromisoformat(row["period_start"]),
            dt.date.fromisoformat(row["period_end"]),
            day(row["known_before"]),
            day(row["revised_at"]),
            number(row["value_before"]),
            number(row["value_after"]),
            row["status_before"],
            row["status_after"],
        )
        for row in truth(built_datastore, "revision")
    }
    assert len(told) > 1_000
    assert set(ours) == told and len(ours) == len(told)


def test_organisations_count_as_the_events_say(built_datastore: Store) -> None:
    """On the first and last day of each exception of the truth the mart of views says the same."""
    with public(built_datastore) as connection:
        for row in truth(built_datastore, "organisation_view"):
            first = row["valid_from"] or "2019-12-01"
            last = dt.date.fromisoformat(row["valid_to"] or "2021-02-01") - dt.timedelta(days=1)
            for on in (first, last.isoformat()):
                found = connection.execute(
                    "select counted_as, is_apportionable from marts.organisation_view "
                    "where organisation_view = ? and org_code = ? and feed is null "
                    "and valid_from <= ?::date and coalesce(valid_to, date '9999-12-31') > ?::date",
                    [row["organisation_view"], row["org_code"], on, on],
                ).fetchall()
                assert found == [(row["counted_as"], row["is_apportionable"] == "true")], (row, on)


def test_what_is_planted_is_found(built_datastore: Store) -> None:
    """The trust that returns too few beds comes first of its pair, the one that repeats itself is told."""
    planted = {row["what"]: row for row in truth(built_datastore, "planted")}
    with public(built_datastore) as connection:
        [(code, relative)] = connection.execute(
            "select org_code, relative_difference from marts.reconciliation "
            "where pair_id = 'general_acute_quarter' and rank = 1"
        ).fetchall()
        outside = connection.execute(
            "select count(*) from marts.reconciliation where pair_id = 'general_acute_quarter' and not is_within"
        ).fetchall()
        repeats = connection.execute(
            "select org_code, longest_identical_run from marts.supplier_scorecard "
            "where feed = 'uec_sitrep' order by longest_identical_run desc limit 2"
        ).fetchall()
        [(zeros,)] = connection.execute(
            "select count(distinct period_start) from marts.observation where org_code = ? "
            "and metric_id = 'open_beds__general_acute__uec_sitrep' and status = 'not_reported' "
            "and status_reason = 'zero_for_missing' and known_to is null",
            [planted["zero_for_missing"]["org_code"]],
        ).fetchall()
    assert code == planted["under_report"]["org_code"]
    assert relative == pytest.approx(-float(planted["under_report"]["size"]), abs=0.01)
    assert outside == [(1,)]
    identical = planted["identical_returns"]
    assert repeats[0] == (identical["org_code"], int(identical["size"])) and repeats[1][1] == 1
    assert zeros == int(planted["zero_for_missing"]["size"])


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
                f"select count(*) from marts.as_known_on('{on}') join marts.metric using (metric_id) "
                "where is_base and is_current"
            ).fetchall()
        assert known == told, on


@pytest.mark.parametrize(("tier", "listed"), [("public", "where tier = 'public'"), ("internal", "")])
def test_every_table_and_column_is_commented_and_in_the_dictionary(
    built_datastore: Store, tier: str, listed: str
) -> None:
    """A tier holds what the dictionary lists for it, under the same words; the internal tier holds all."""
    key = KeyStore(built_datastore.settings).internal_tier().text if tier == "internal" else None
    with releases.open_tier(releases.current(built_datastore.settings), tier, key) as connection:
        columns = connection.execute(
            "select table_name, column_name, data_type, comment from duckdb_columns() where schema_name = 'marts'"
        ).fetchall()
        tables = connection.execute(
            "select table_name, '', '', comment from duckdb_tables() where schema_name = 'marts'"
        ).fetchall()
        dictionary = connection.execute(
            f"select table_name, column_name, description from marts.dictionary {listed}"
        ).fetchall()
    assert {(table, column, comment) for table, column, _, comment in columns + tables} == set(dictionary)
    assert all(description for _, _, description in dictionary)


def test_public_tier_is_plain_and_internal_tier_needs_its_key(built_datastore: Store) -> None:
    folder = built_datastore.home / "published/current"
    for tier in ("public", "internal"):
        path = folder / tier / "datastore.duckdb"
        assert stat.S_IMODE(path.stat().st_mode) == 0o444
    with pytest.raises(duckdb.Error):
        duckdb.connect(str(folder / "internal/datastore.duckdb"), read_only=True)
    asked = "select count(*) as n from marts.observation"
    opened = built_datastore.run("query", asked, "--tier", "internal", "--json")
    assert json.loads(opened.stdout) == built_datastore.ask(asked)


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
