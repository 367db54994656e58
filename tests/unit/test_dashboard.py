"""The UKHSA dashboard's files: what a point is, whose, and which points refuse the file."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.adapters import catalogue
from pipelines.domain.feeds import Known, Reading
from pipelines.domain.refusals import Refused
from tests.support.drawn import told

FEED = catalogue.feed("ukhsa_dashboard")
KNOWN = Known(regions={"LONDON": "Y56", "MIDLANDS": "Y60"}, icb_codes=frozenset(), received_on=dt.date(2023, 11, 16))
POINT: dict[str, Any] = {
    "epiweek": 44,
    "date": "2023-11-03",
    "metric_value": 299,
    "embargo": "2023-11-16 17:30:00",
    "is_public": True,
}
FILE: dict[str, Any] = {
    "parent_theme": "infectious_disease",
    "topic": "COVID-19",
    "metric": "COVID-19_healthcare_admissionByDay",
    "geography_type": "Nation",
    "geography": "England",
    "geography_code": "E92000001",
    "age": "all",
    "sex": "all",
    "stratum": "default",
    "refresh_date": "2023-11-09",
}
EXPORT = [
    {
        "areaCode": "E92000001",
        "areaName": "England",
        "areaType": "nation",
        "date": "2022-01-02",
        "age": "60+",
        "deaths": "9",
    },
    {
        "areaCode": "E92000001",
        "areaName": "England",
        "areaType": "nation",
        "date": "2022-01-01",
        "age": "60+",
        "deaths": "",
    },
    {
        "areaCode": "E92000001",
        "areaName": "England",
        "areaType": "nation",
        "date": "2022-01-01",
        "age": "00_59",
        "deaths": "0",
    },
]


def read(content: str, file_name: str = "file") -> Reading:
    return catalogue.reader(FEED)(content.encode(), FEED, KNOWN, file_name)


def ingestion(*points: dict[str, Any], **facts: Any) -> str:
    return json.dumps({**FILE, **facts, "time_series": [{**POINT, **point} for point in points or ({},)]})


def export(columns: list[str], rows: list[dict[str, str]] = EXPORT) -> str:
    return "\n".join([",".join(columns), *(",".join(row[column] for column in columns) for row in rows)])


def test_an_ingestion_file_is_one_metric_of_one_area() -> None:
    """Known from the day it was made; a point in the reporting delay is provisional, one without value missing."""
    reading = read(
        ingestion({"date": "2023-11-02", "metric_value": None}, {"in_reporting_delay_period": True, "embargo": None})
    )
    assert told(reading) == [
        "E92000001 admissions__all 2023-11-02: nothing, not_reported: None",
        "E92000001 admissions__all 2023-11-03: 299, provisional: reporting_delay",
    ]
    assert reading.published_on == dt.date(2023, 11, 9)
    assert reading.rows.select("source_sheet", "source_row", "source_column").row(1) == (
        "time_series",
        2,
        "metric_value",
    )


def test_a_headline_has_a_period() -> None:
    headline = {
        **FILE,
        "metric": "COVID-19_headline_7DayOccupiedBeds",
        "data": [{"period_start": "2023-10-30", "period_end": "2023-11-05 00:00:00", "metric_value": 3346.7}],
    }
    assert told(read(json.dumps(headline))) == [
        "E92000001 occupied_beds_7_day_average__all 2023-10-30 to 2023-11-05: 3346.7"
    ]


@given(st.permutations(list(EXPORT[0])), st.permutations(EXPORT))
def test_the_order_of_columns_and_rows_is_of_no_consequence(columns: list[str], rows: list[dict[str, str]]) -> None:
    assert sorted(told(read(export(columns, rows)))) == [
        "E92000001 deaths__00_59 2022-01-01: 0",
        "E92000001 deaths__60_and_over 2022-01-01: nothing, not_reported: None",
        "E92000001 deaths__60_and_over 2022-01-02: 9",
    ]


@pytest.mark.parametrize(
    ("name", "day"),
    [("nation_2022-01-03.csv", dt.date(2022, 1, 3)), ("nation_2022-13-03.csv", None), ("nation.csv", None)],
)
def test_an_export_is_known_from_the_release_in_its_name(name: str, day: dt.date | None) -> None:
    assert read(export(list(EXPORT[0])), name).published_on == day


@pytest.mark.parametrize(
    ("kind", "code", "name", "whose"),
    [
        ("Nation", "E92000001", "England", "E92000001"),
        ("overview", "K02000001", "United Kingdom", "K02000001"),
        ("NHS Region", "E40000003", "London", "Y56"),
        ("nhsRegion", "E40000011", "Midlands", "Y60"),
        ("region", "E12000007", "London", "E12000007"),
        ("nhsTrust", "RJ1", "A TRUST", "RJ1"),
    ],
)
def test_areas(kind: str, code: str, name: str, whose: str) -> None:
    """An NHS region goes by its Y-code, found by name since its ONS code changes; a region of statistics does not."""
    [line] = told(read(ingestion(geography_type=kind, geography_code=code, geography=name)))
    assert line == f"{whose} admissions__all 2023-11-03: 299"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (ingestion(metric="COVID-19_cases_casesByDay"), "metric 'COVID-19_cases_casesByDay' is not declared"),
        (ingestion({"embargo": "2023-11-17 00:30:00"}), "row 1: under embargo until 2023-11-17"),
        (ingestion({}, {"is_public": False}), "row 2: a point that is not public"),
        (ingestion(sex="f"), "of one sex or one stratum"),
        (ingestion(age="65-74"), "an age band of a metric that is declared for all ages"),
        (ingestion(geography_type="Lower Tier Local Authority", geography_code="E07000001"), "an area other than"),
        (ingestion(geography_code="E12000007"), "area: not a code"),
        (ingestion(geography_type="NHS Region", geography_code="E40000003", geography="Utopia"), "no region"),
        (ingestion(refresh_date=None), "refresh_date: no date"),
        (ingestion({"metric_value": "many"}), "not a plain number"),
        (ingestion({"date": None}), "neither a date nor a period"),
        (ingestion(note="see below"), "column 'note' is not declared"),
        (ingestion({"metric_value": [1]}), "row 1: a list or an object stands where a value is due"),
        (json.dumps({**FILE, "time_series": []}), "no points"),
        (json.dumps(FILE), "no single list of points"),
        (ingestion()[:-20], "not JSON"),
        ('{"metric": 1, "metric": 2}', "'metric' stands twice"),
        ('{"metric_value": NaN}', "NaN stands where a number is due"),
        ("[1]", "no single JSON object"),
        ("[" * 100_000, "without end"),
        (export(["areaCode", "areaName", "areaType", "date"]), "no metric that is declared"),
        (export(list(EXPORT[0]), [{**EXPORT[0], "age": "25_64"}]), "age band '25_64' is not declared"),
        (export(list(EXPORT[0]), [{**EXPORT[0], "date": "03/01/2022"}]), "column D: date: not a date"),
    ],
)
def test_what_does_not_fit_is_refused(content: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        read(content)
