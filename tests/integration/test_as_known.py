"""What a subject mart says for a day is what a store would have said that holds nothing published later."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path

import duckdb
import polars as pl
import pytest
import yaml

from pipelines import settings
from pipelines.adapters import warehouse
from tests.support.stores import Store

SUBJECTS = list(yaml.safe_load((settings.DBT_PROJECT / "dbt_project.yml").read_text())["vars"]["subjects"])
VIEWS = {"marts": "as_reported", "marts_as_at_date": "as_at_date", "marts_as_current": "as_current"}
# Between two issues of the COVID-19 workbook, of the deaths and of the monthly A&E return.
DAY = dt.date(2020, 12, 12)


@pytest.fixture(scope="module")
def on_the_day(built_datastore: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A copy of the store, built anew from the lists and from what was published by the end of the day."""
    store = built_datastore.copy(tmp_path_factory.mktemp("on_the_day") / "store")
    here = store.settings
    with warehouse.connect(here) as connection:
        path = here.operations / "batches.parquet"
        batches = warehouse.read_rows(connection, path)
        known = batches.filter(
            (pl.col("known_from") < DAY + dt.timedelta(days=1)) | pl.col("feed").str.starts_with("ods_")
        )
        assert 0 < known.height < batches.height
        warehouse.write_rows(connection, known, path)
    only = ("--select", "+path:models/marts/subjects", "--resource-type", "model", "--resource-type", "seed")
    done = subprocess.run(
        [settings.program("dbt"), "build", "--full-refresh", *only, "--profiles-dir", "."],
        cwd=settings.DBT_PROJECT,
        env=store.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return store


def served(store: Store) -> Path:
    """The public file of a store's release."""
    return store.home / "published/current/public/datastore.duckdb"


@pytest.mark.parametrize("schema", VIEWS)
def test_a_mart_as_known_is_the_mart_of_that_day(built_datastore: Store, on_the_day: Store, schema: str) -> None:
    """Values and coverage of every row; names and levels are those known now."""
    rows = 0
    with warehouse.build(on_the_day.settings, read_only=True) as connection:
        connection.execute(f"ATTACH {warehouse.quoted(served(built_datastore))} AS served (READ_ONLY)")
        connection.execute("USE served")
        for mart in SUBJECTS:
            then = (
                f"SELECT * EXCLUDE (organisation_view, org_name, org_level) FROM build.marts.{mart} "
                f"WHERE organisation_view = '{VIEWS[schema]}'"
            )
            known = f"SELECT * EXCLUDE (org_name, org_level) FROM {schema}.{mart}('{DAY}')"
            for one, other in ((then, known), (known, then)):
                assert connection.execute(f"{one} EXCEPT ALL {other} LIMIT 3").fetchall() == [], mart
            rows += len(connection.execute(then).fetchall())
    assert rows > 1_000


@pytest.mark.parametrize("schema", VIEWS)
def test_a_mart_as_known_begins_empty_and_ends_as_the_mart(built_datastore: Store, schema: str) -> None:
    with duckdb.connect(str(served(built_datastore)), read_only=True) as connection:
        for mart in SUBJECTS:
            late = f"{schema}.{mart}('2999-12-31')"
            columns = [connection.execute(f"DESCRIBE FROM {table}").fetchall() for table in (f"{schema}.{mart}", late)]
            assert [column[:2] for column in columns[0]] == [column[:2] for column in columns[1]]
            for one, other in ((f"{schema}.{mart}", late), (late, f"{schema}.{mart}")):
                assert connection.execute(f"FROM {one} EXCEPT ALL FROM {other} LIMIT 3").fetchall() == [], mart
            assert connection.execute(f"FROM {schema}.{mart}('1999-12-31') LIMIT 1").fetchall() == [], mart
