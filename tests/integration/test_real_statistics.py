"""The publishers' real files of the ambulance services, dashboards, lists, deaths, vaccinations, delays and the series.

Each is read, judged by its own rules, and compared with itself by another route; what is compared is counted and
printed (`pytest -rP`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import python_calamine

from pipelines.adapters import catalogue
from pipelines.adapters.expectations import judge
from pipelines.domain.feeds import Reading
from pipelines.domain.gates import VIEWS, Batch, published_totals

# Feed, file, rows, first and last day, day of publication.
FILES: list[tuple[str, str, int, str | None, str | None, str | None]] = [
    (
        "ukhsa_dashboard",
        "ukhsa_dashboard/nation_2022-01-03_deaths.csv",
        14_028,
        "2020-03-02",
        "2021-12-29",
        "2022-01-03",
    ),
    ("ukhsa_dashboard", "ukhsa_dashboard/df_admissions_uk.csv", 388, "2020-03-23", "2021-04-14", None),
    (
        "ukhsa_dashboard",
        "ukhsa_dashboard/COVID-19_healthcare_admissionByDay_CTRY_E92000001_all_all_default.json",
        364,
        "2022-11-03",
        "2023-11-03",
        "2023-11-09",
    ),
    (
        "ukhsa_dashboard",
        "ukhsa_dashboard/COVID-19_headline_7DayOccupiedBeds_CTRY_E92000001_all_all_default.json",
        1,
        "2023-10-30",
        "2023-11-05",
        "2023-11-09",
    ),
    ("ods_practice_membership", "ods_reference/epcmem.csv", 47_822, None, None, None),
    ("ods_succession", "ods_reference/trust_mergers.csv", 11, None, None, None),
    ("ods_succession", "ods_reference/CCG_STP_RefFile_Apr20.xlsx", 74, None, None, None),
    (
        "covid_deaths",
        "covid_deaths_by_trust/refreshed_daily_deaths_trust_2020-05-14.xlsx",
        16_948,
        "2020-02-29",
        "2020-05-12",
        "2020-05-13",
    ),
    (
        "covid_deaths",
        "covid_deaths_by_trust/refreshed_daily_deaths_trust_2020-10-29.xlsx",
        47_652,
        "2020-02-29",
        "2020-09-22",
        "2020-09-23",
    ),
    ("covid_vaccinations", "covid_vaccinations/2021-01-10.xlsx", 40, "2021-01-10", "2021-01-10", "2021-01-14"),
    ("covid_vaccinations", "covid_vaccinations/2021-02-14.xlsx", 450, "2021-02-14", "2021-02-14", "2021-02-18"),
    ("delayed_transfers", "delayed_transfers_of_care/Apr_19.xls", 3_565, "2019-04-01", "2019-04-30", "2019-09-12"),
    ("delayed_transfers", "delayed_transfers_of_care/Dec_19.xls", 3_542, "2019-12-01", "2019-12-31", "2020-02-13"),
    (
        "ae_timeseries",
        "ae_timeseries/Monthly-AE-Time-Series-October-2024.xls",
        3_633,
        "2010-08-01",
        "2024-10-31",
        "2024-11-14",
    ),
]
AMBULANCE = "ambulance_ambsys/ambsys.csv"

Real = Callable[[str, str], Reading]


@pytest.fixture
def real(feeds_dir: Path) -> Real:
    """What the feed's reader makes of a real file."""

    def read(feed: str, file: str) -> Reading:
        path = feeds_dir / file
        return catalogue.reader(catalogue.feed(feed))(
            path.read_bytes(), catalogue.feed(feed), catalogue.known(), path.name
        )

    return read


def broken(feed: str, rows: pl.DataFrame, last_day: dt.date) -> dict[str, int]:
    """Rules of the feed that the rows break: how often."""
    batch = Batch(rows, last_day, None, catalogue.known().icb_codes)
    outcomes = judge(catalogue.suite(feed), lambda rule: VIEWS[rule.view](batch, rule.options))
    return {outcome.rule.id: outcome.broken for outcome in outcomes if not outcome.passed}


def equal(what: str, pairs: list[tuple[Any, Any, Any]], exactly: int, within: float = 0) -> None:
    """Print how many were compared and fail with the first that differ; `pairs` are (key, ours, published)."""
    differing = [pair for pair in pairs if pair[1] != pair[2] and not abs(pair[1] - pair[2]) <= within]
    print(f"{what}: {len(pairs):,} compared, {len(pairs) - len(differing):,} equal")
    assert len(pairs) == exactly
    assert not differing, differing[:10]


def totals(rows: pl.DataFrame) -> list[tuple[Any, Any, Any]]:
    """The published totals of a file, with our sums."""
    return [
        ((row["level"], row["metric_id"], row["period_start"]), row["ours"] or 0, row["value"] or 0)
        for row in published_totals(Batch(rows, dt.date.max), {}).iter_rows(named=True)
    ]


def grid(path: Path, sheet: str) -> list[list[Any]]:
    """A worksheet, read here without our reader."""
    return (
        python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    )


@pytest.mark.parametrize(
    ("feed", "file", "height", "first", "last", "published"), FILES, ids=lambda value: str(value)[-40:]
)
def test_a_real_file_keeps_every_rule(
    real: Real, feed: str, file: str, height: int, first: str | None, last: str | None, published: str | None
) -> None:
    reading = real(feed, file)
    days = [
        day.isoformat() if day else None for day in (reading.period_start, reading.period_end, reading.published_on)
    ]
    assert (reading.rows.height, *days) == (height, first, last, published)
    assert broken(feed, reading.rows, reading.published_on or dt.date(2026, 1, 1)) == {}


def test_ambulance_months_that_are_whole_meet_their_totals_and_the_cut_one_is_found(real: Real) -> None:
    """The file that public code keeps ends in the middle of May 2024: England and three of eleven services."""
    rows = real("ambulance_ambsys", AMBULANCE).rows
    whole = rows.filter(pl.col("period_start") < dt.date(2024, 5, 1))
    equal("ambulance_ambsys published totals, January to April 2024", totals(whole), 4 * 8 * 17)
    assert broken("ambulance_ambsys", whole, dt.date(2024, 6, 1)) == {}
    assert broken("ambulance_ambsys", rows, dt.date(2024, 6, 1)) == {
        "ambulance_ambsys.rollup_equals_published_total": 17
    }


def test_summed_response_times_are_the_published_means(real: Real, feeds_dir: Path) -> None:
    """Items A25, A28, A31, A34, A37 are the means that the publisher made, in whole seconds."""
    rows = real("ambulance_ambsys", AMBULANCE).rows
    file = pl.read_csv(feeds_dir / AMBULANCE, infer_schema_length=0)
    value = {(row["source_row"], row["metric_id"]): row["value"] for row in rows.iter_rows(named=True)}
    items = {
        "category_1": "A25",
        "category_1_transport": "A28",
        "category_2": "A31",
        "category_3": "A34",
        "category_4": "A37",
    }
    pairs = []
    for number, line in enumerate(file.iter_rows(named=True), start=2):
        for category, item in items.items():
            seconds = value[number, f"response_time__{category}__ambsys"]
            incidents = value[number, f"incidents__{category}__ambsys"]
            pairs.append(((number, item), seconds / incidents, float(line[item])))
    equal("mean response times", pairs, 80 * 5, within=0.5)


@pytest.mark.parametrize(
    ("issue", "trusts", "regions", "of_totals"),
    [
        ("2020-05-14", "COVID19 total deaths by trust", "COVID19 total deaths by region", 608),
        ("2020-10-29", "Tab4 Deaths by trust", "Tab1 Deaths by region", 1_672),
    ],
)
def test_deaths_equal_the_workbook(
    real: Real, feeds_dir: Path, issue: str, trusts: str, regions: str, of_totals: int
) -> None:
    file = f"covid_deaths_by_trust/refreshed_daily_deaths_trust_{issue}.xlsx"
    rows = real("covid_deaths", file).rows
    equal(f"covid_deaths published totals, {issue}", totals(rows), of_totals)
    days = rows.filter(pl.col("metric_id") == "deaths__all__cpns", pl.col("record") == "provider")
    ours = {(row["source_row"], row["period_start"]): row["value"] for row in days.iter_rows(named=True)}
    sheet = grid(feeds_dir / file, trusts)
    pairs = [
        ((number, day), ours.get((number, day)), cell)
        for number, line in enumerate(sheet, start=1)
        if number > 18 and line[3]
        for day, cell in zip(sheet[15], line, strict=True)
        if isinstance(day, dt.date)
    ]
    equal(f"deaths by trust and day, {issue}", pairs, days.height)
    names = {row[1] for row in grid(feeds_dir / file, regions)[18:]}
    assert rows.filter(pl.col("record") == "published_region")["region_code"].n_unique() == len(names) == 7


def test_vaccinations_of_the_regions_make_england_but_for_people_of_no_known_place(real: Real) -> None:
    """January prints them as `Other`; their number is what England has more than its regions."""
    rows = real("covid_vaccinations", "covid_vaccinations/2021-01-10.xlsx").rows
    of_england = rows.filter(pl.col("org_code") == "E92000001")
    other = {"first_doses__under_80": 1_371, "first_doses__80_and_over": 759, "second_doses__under_80": 162}
    other |= {"second_doses__80_and_over": 160, "total_doses__all": 2_452}
    regions = rows.filter(pl.col("org_code") != "E92000001").group_by("metric_id").agg(pl.col("value").sum())
    ours = dict(regions.iter_rows())
    pairs = [
        (metric_id, ours[metric_id] + other[metric_id.rpartition("__")[0]], value)
        for metric_id, value in of_england.select("metric_id", "value").iter_rows()
    ]
    equal("doses of England by dose and age", pairs, 5)


def test_vaccinations_of_the_care_systems_make_their_regions(real: Real) -> None:
    """Each system by its Q-code; all 42 of them."""
    rows = real("covid_vaccinations", "covid_vaccinations/2021-02-14.xlsx").rows
    systems = rows.filter(pl.col("org_code").str.starts_with("Q"))
    assert systems["org_code"].n_unique() == 42
    sums = {
        (metric_id, region): value
        for metric_id, region, value in systems.group_by("metric_id", "region_code")
        .agg(pl.col("value").sum())
        .iter_rows()
    }
    regions = rows.filter(pl.col("org_code").str.starts_with("Y")).select("metric_id", "org_code", "value")
    pairs = [((metric_id, region), sums[metric_id, region], value) for metric_id, region, value in regions.iter_rows()]
    equal("doses of the regions by dose and age", pairs, 7 * 9)


@pytest.mark.parametrize(("month", "days"), [("Apr_19", 30), ("Dec_19", 31)])
def test_delays_meet_their_totals_and_make_people_a_day(real: Real, month: str, days: int) -> None:
    rows = real("delayed_transfers", f"delayed_transfers_of_care/{month}.xls").rows
    equal(f"delayed_transfers published totals, {month}", totals(rows), 23, within=1e-6)
    keys = ["org_code", rows["metric_id"].str.split("__").list.get(1).alias("part")]
    providers = rows.with_columns(keys[1]).filter((pl.col("record") == "provider") & pl.col("value").is_not_null())
    delayed = providers.filter(pl.col("metric_id").str.starts_with("delayed_days"))
    people = providers.filter(pl.col("metric_id").str.starts_with("people_delayed"))
    both = people.join(delayed, on=["org_code", "part"], suffix="_days")
    pairs = [
        ((row["org_code"], row["part"]), row["value"] * days, row["value_days"]) for row in both.iter_rows(named=True)
    ]
    equal(f"people a day times days, {month}", pairs, people.height, within=1e-6)


def test_the_series_equals_the_monthly_return(real: Real, feeds_dir: Path) -> None:
    """The monthly return of the providers, added up, against the series: ten months, eleven measures."""
    rows = real("ae_timeseries", "ae_timeseries/Monthly-AE-Time-Series-October-2024.xls").rows
    series = {(row["metric_id"], row["period_start"]): row["value"] for row in rows.iter_rows(named=True)}
    pairs = []
    for path in sorted((feeds_dir / "ae_monthly").glob("*.csv")):
        monthly = real("ae_monthly", f"ae_monthly/{path.name}").rows.filter(pl.col("record") == "published_nation")
        month = monthly["period_start"][0]
        values = dict(monthly.select("metric_id", "value").iter_rows())

        def of(measure: str, values: dict[str, float] = values) -> float:
            return values.get(f"{measure}__msitae") or 0.0

        for kind in ("type_1", "type_2", "other"):
            attendances = of(f"attendances_not_booked__{kind}") + of(f"attendances_booked__{kind}")
            pairs.append(((month, kind), attendances, series[f"attendances__{kind}__ae_timeseries", month]))
            admitted = of(f"emergency_admissions_via_ae__{kind}")
            pairs.append(
                ((month, kind), admitted, series[f"emergency_admissions_via_ae__{kind}__ae_timeseries", month])
            )
        over_12 = of("waits_dta_over_12_hours__all")
        over_4 = of("waits_dta_4_to_12_hours__all") + over_12
        pairs.append(((month, "over 12"), over_12, series["waits_dta_over_12_hours__all__ae_timeseries", month]))
        pairs.append(((month, "over 4"), over_4, series["waits_dta_over_4_hours__all__ae_timeseries", month]))
        others = of("other_emergency_admissions__all")
        pairs.append(((month, "others"), others, series["other_emergency_admissions__all__ae_timeseries", month]))
    equal("A&E time series against the monthly return", pairs, 10 * 9)


def test_dashboard_points_equal_the_files(real: Real, feeds_dir: Path) -> None:
    name = "ukhsa_dashboard/COVID-19_healthcare_admissionByDay_CTRY_E92000001_all_all_default.json"
    ours = real("ukhsa_dashboard", name).rows
    points = json.loads((feeds_dir / name).read_text())["time_series"]
    pairs = [
        (
            point["date"],
            row["value"] if row["period_start"].isoformat() == point["date"] else None,
            point["metric_value"],
        )
        for point, row in zip(points, ours.iter_rows(named=True), strict=True)
    ]
    equal("points of an ingestion file", pairs, 364)
    name = "ukhsa_dashboard/nation_2022-01-03_deaths.csv"
    ours = real("ukhsa_dashboard", name).rows
    file = pl.read_csv(feeds_dir / name)
    assert ours["value"].to_list() == file["deaths"].cast(pl.Float64).to_list()
    assert ours["metric_id"].n_unique() == file["age"].n_unique() == 21
