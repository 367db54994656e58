"""The publishers' real files through the whole road, against the files themselves and against third parties.

What is compared is counted and printed (`pytest -rP`); a count that falls short is named row by row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyreadr
import pytest
import python_calamine

from pipelines import intake, settings
from pipelines.adapters import catalogue, warehouse
from pipelines.adapters.landing import Landing
from pipelines.domain.gates import Batch, published_totals
from tests.support.stores import Store

FILES = {
    "ae_monthly": ["ae_monthly/*.csv"],
    "covid_hospital_activity": ["covid_hospital_activity/*.xlsx"],
    "ods_trusts": ["ods_reference/etr.csv", "ods_reference/etr_trust_list_2020.csv"],
    "ods_gp_practices": ["ods_reference/epraccur.csv"],
    "ods_sites": ["ods_reference/Hospital.csv"],
    "ods_practice_hierarchy": ["ods_reference/gp-reg-pat-prac-map.csv"],
}
WORKBOOK = "covid_hospital_activity/Weekly-covid-admissions-and-beds-publication-210325-1.xlsx"
HEADER = 14  # header row 15
REGIONS = {
    "ENGLAND": "E92000001",
    "East of England": "Y61",
    "London": "Y56",
    "Midlands": "Y60",
    "North East and Yorkshire": "Y63",
    "North West": "Y62",
    "South East": "Y59",
    "South West": "Y58",
}
SHEETS = {
    "Hosp ads & diag": ("covid_admissions_daily", "admissions_and_diagnoses", None),
    "New hosp cases": ("covid_admissions_daily", "new_hospital_cases", None),
    "Hosp ads from comm": ("covid_admissions_daily", "community_admissions", None),
    "Hosp ads from comm with lag": ("covid_admissions_daily", "community_admissions_lagged", None),
    "Care home ads and diags": ("covid_admissions_daily", "care_home_admissions", None),
    "All beds COVID": ("occupancy_daily", "covid_occupied_beds", "all"),
    "MV beds COVID": ("occupancy_daily", "covid_occupied_beds", "mechanical_ventilation"),
    "Adult G&A Beds Occupied COVID": ("occupancy_daily", "covid_occupied_beds", "general_acute"),
    "Adult CC Beds Occupied COVID": ("occupancy_daily", "covid_occupied_beds", "adult_critical_care"),
}


@pytest.fixture(scope="module")
def arrivals(feeds_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[intake.Arrival]]:
    """A store that holds every real file of this delivery's feeds."""
    store = Store(tmp_path_factory.mktemp("real") / "store")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment.items():
            patch.setenv(name, value)
        settings.prepare(store.settings)
        received = [
            arrival
            for feed, patterns in FILES.items()
            for arrival in intake.receive(
                store.settings, catalogue.feed(feed), [str(feeds_dir / pattern) for pattern in patterns]
            )
        ]
    return store, received


@pytest.fixture(scope="module")
def release(arrivals: tuple[Store, list[intake.Arrival]]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release made of them."""
    store, _ = arrivals
    done = store.run("refresh")
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(store.home / "published/current/public/datastore.duckdb"), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def workbook(feeds_dir: Path) -> dict[str, list[list[Any]]]:
    """The weekly workbook, read here without our reader."""
    book = python_calamine.CalamineWorkbook.from_path(str(feeds_dir / WORKBOOK))
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def equal(what: str, pairs: list[tuple[Any, Any, Any]], at_least: int) -> None:
    """Print how many were compared and fail with the first that differ; `pairs` are (key, ours, published)."""
    differing = [pair for pair in pairs if pair[1] != pair[2]]
    print(f"{what}: {len(pairs):,} compared, {len(pairs) - len(differing):,} equal")
    assert len(pairs) >= at_least
    assert not differing, differing[:10]


def test_every_real_file_is_accepted(arrivals: tuple[Store, list[intake.Arrival]]) -> None:
    _, received = arrivals
    assert {arrival.file: arrival.verdict for arrival in received if arrival.verdict != "accepted"} == {}
    assert len(received) == 16


def test_every_published_total_and_region_row_equals_our_roll_up(arrivals: tuple[Store, list[Any]]) -> None:
    store, _ = arrivals
    for feed, known in {"ae_monthly": 150, "covid_hospital_activity": 20_296}.items():
        totals = []
        for held in Landing(store.settings).batches(feed):
            with warehouse.connect(store.settings) as connection:
                rows = warehouse.read_rows(connection, held.accepted_path)
            totals += [
                ((held.sha256[:8], row["level"], row["metric_id"], row["period_start"]), row["ours"], row["value"])
                for row in published_totals(Batch(rows, dt.date.max), {}).iter_rows(named=True)
            ]
        equal(f"{feed} published totals", totals, known)


def test_englands_four_hour_rate_equals_the_time_series(release: duckdb.DuckDBPyConnection, feeds_dir: Path) -> None:
    path = feeds_dir / "ae_timeseries/Monthly-AE-Time-Series-October-2024.xls"
    rows = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Performance").to_python()
    published = {row[0]: row for row in rows if isinstance(row[0], dt.date)}
    ours = release.execute(
        "select month, department_type, over_four_hours, four_hour_attendances, within_four_hours_rate "
        "from marts.ae_performance_monthly where org_level = 'nation' order by all"
    ).fetchall()
    place = {"type_1": (1, 5, 10), "type_2": (2, 6, 11), "other": (3, 7, 12), "all": (4, 8, 9)}
    pairs = []
    for month, department, over, attendances, rate in ours:
        within, breaches, share = (published[month][index] for index in place[department])
        pairs.append(((month, department), (attendances - over, over), (within, breaches)))
        # The workbook keeps nine digits of the rate.
        pairs.append(((month, department, "rate"), round(rate, 9), round(share, 9)))
    equal("four-hour figures of England", pairs, 2 * 4 * 10)


def test_marts_equal_the_workbook_cell_by_cell(
    release: duckdb.DuckDBPyConnection, workbook: dict[str, list[list[Any]]]
) -> None:
    totals, providers = [], []
    for sheet, (mart, measure, bed_type) in SHEETS.items():
        day = "date" if bed_type is None else "snapshot_date"
        chosen = f" where bed_type = '{bed_type}'" if bed_type else ""
        ours = {
            (code, on): value
            for code, on, value in release.execute(
                f"select org_code, {day}, {measure} from marts.{mart}{chosen}"
            ).fetchall()
        }
        rows = workbook[sheet]
        for row in rows[HEADER + 1 :]:
            is_total = row[2] in ("", "-")
            code = REGIONS.get(row[3]) if is_total else row[2]
            if code:
                pairs = totals if is_total else providers
                pairs += [
                    ((sheet, code, on), ours.get((code, on)), None if cell == "" else cell)
                    for on, cell in zip(rows[HEADER][4:], row[4:], strict=True)
                ]
    equal("ENGLAND and region cells", totals, 15_112)
    equal("provider cells, empty ones as null", providers, 844_962)


@pytest.mark.parametrize(("sheets", "bed_type"), [("Adult G&A", "general_acute"), ("Adult CC", "adult_critical_care")])
def test_beds_of_england_and_regions_are_the_sum_of_the_published_parts(
    release: duckdb.DuckDBPyConnection, workbook: dict[str, list[list[Any]]], sheets: str, bed_type: str
) -> None:
    ours = {
        (code, on): (beds, occupied)
        for code, on, beds, occupied in release.execute(
            "select org_code, snapshot_date, open_beds, occupied_beds from marts.occupancy_daily where bed_type = ?",
            [bed_type],
        ).fetchall()
    }
    names = ("Beds Occupied COVID", "Bed Occupied NonCOVID", "Beds Unoccupied")
    covid, other, free = (workbook[f"{sheets} {name}"] for name in names)
    pairs = []
    for rows in zip(covid[HEADER + 1 : 24], other[HEADER + 1 : 24], free[HEADER + 1 : 24], strict=True):
        code = REGIONS.get(rows[0][3])
        if code:
            for index, on in enumerate(covid[HEADER][4:], start=4):
                parts = [row[index] for row in rows]
                pairs.append(((code, on), ours.get((code, on)), (sum(parts), sum(parts[:2]))))
    equal(f"open and occupied beds, {bed_type}", pairs, 1_016)


@pytest.mark.parametrize(
    ("sheet", "metric_id", "values"),
    [
        ("Hosp ads & diag", "admissions_and_diagnoses__all__covid_sitrep", 51_788),
        ("MV beds COVID", "covid_occupied_beds__mechanical_ventilation__covid_sitrep", 52_756),
    ],
)
def test_a_third_partys_parse_agrees(
    release: duckdb.DuckDBPyConnection, feeds_dir: Path, sheet: str, metric_id: str, values: int
) -> None:
    frame = next(iter(pyreadr.read_r(str(feeds_dir / "covid_hospital_activity/trust_data_2020-11-19.rds")).values()))
    theirs = frame[frame["data"] == sheet]
    ours = {
        (code, on): value
        for code, on, value in release.execute(
            "select org_code, period_start, value from marts.observation where metric_id = ? and known_to is null",
            [metric_id],
        ).fetchall()
    }
    pairs = []
    for code, on, value in theirs[["org_code", "date", "value"]].itertuples(index=False):
        if (code, on) in ours:
            pairs.append(((code, on), ours[code, on], None if value != value else value))
    equal(f"third party, {sheet}", pairs, values)


def test_missing_stays_missing_and_field_test_trusts_are_found(release: duckdb.DuckDBPyConnection) -> None:
    [(missing,)] = release.execute(
        "select count(*) from marts.observation where status = 'not_reported' and value is null "
        "and metric_id = 'admissions_and_diagnoses__all__covid_sitrep'"
    ).fetchall()
    assert missing == 9_165
    months = release.execute(
        "select q.batch, count(*) from marts.quality as q "
        "where q.check_id = 'ae_monthly.field_test_trusts' group by q.batch"
    ).fetchall()
    assert [count for _, count in months] == [14] * 9, "fourteen in each of nine months, none in July 2024"


def test_a_regions_spelling_and_level_rules_hold(release: duckdb.DuckDBPyConnection) -> None:
    [(levels,)] = release.execute(
        "select count(*) from (select org_code from marts.organisation group by org_code having count(*) > 1)"
    ).fetchall()
    assert levels == 0, "exactly one level a code"
    [(offices,)] = release.execute(
        "select count(*) from marts.organisation as o where icb_code is not null and not exists "
        "(select 1 from marts.organisation as i where i.org_code = o.icb_code and i.org_level = 'icb')"
    ).fetchall()
    assert offices == 0, "a local office's code never fills icb_code"
    [(manchester,)] = release.execute("select icb_code from marts.organisation where org_code = 'R0A'").fetchall()
    assert manchester == "QOP"
