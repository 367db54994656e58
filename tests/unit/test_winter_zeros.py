"""Which zeros of a winter mean "not reported", found by rule."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from pipelines.domain.winter_zeros import REASON, zeros_not_reported

FIRST = dt.date(2019, 12, 2)
BEDS = ("core_beds__general_acute", "escalation_beds__general_acute", "open_beds__general_acute")
GENERAL_ACUTE = {*BEDS, "occupied_beds__general_acute"}
WHOLE = {
    "core_beds__general_acute": 300.0,
    "escalation_beds__general_acute": 0.0,
    "open_beds__general_acute": 300.0,
    "occupied_beds__general_acute": 280.0,
    "open_beds__adult_critical_care": 20.0,
    "occupied_beds__adult_critical_care": 18.0,
    "open_beds__neonatal_critical_care": 0.0,
    "patients_over_7_days__all": 180.0,
    "patients_over_14_days__all": 90.0,
    "ambulance_arrivals__all": 60.0,
    "handovers_30_to_60_minutes__all": 5.0,
    "closures__all": 0.0,
}


def winter(
    day_three: dict[str, float | None],
    *,
    others: dict[str, float] | None = None,
    first: dict[str, float] | None = None,
    record: str = "provider",
) -> set[str]:
    """What becomes not reported when the third of five days differs; every other cell must stay as it was."""
    usual = WHOLE | (others or {})
    days = [usual | (first or {}), usual, usual | day_three, usual, usual]
    cells = [
        (record, "ZA1", f"{name}__uec_sitrep", FIRST + dt.timedelta(days=number), value)
        for number, day in enumerate(days)
        for name, value in day.items()
    ]
    schema = {
        "record": pl.String,
        "org_code": pl.String,
        "metric_id": pl.String,
        "period_start": pl.Date,
        "value": pl.Float64,
    }
    rows = pl.DataFrame(cells, schema=schema, orient="row").with_columns(
        period_end="period_start",
        status=pl.lit("reported"),
        status_reason=pl.lit(None, pl.String),
        source_sheet=pl.col("metric_id"),
        source_row=pl.lit(18),
        source_column=pl.col("period_start").cast(pl.String),
    )
    after = zeros_not_reported(rows)
    hidden = after.filter(pl.col("status_reason").is_not_null())
    assert after.select("metric_id", "period_start").equals(rows.select("metric_id", "period_start"))
    assert after.filter(pl.col("status_reason").is_null()).equals(
        rows.join(hidden, on=["metric_id", "period_start"], how="anti", maintain_order="left")
    )
    assert set(hidden["status_reason"]) <= {REASON} and set(hidden["status"]) <= {"not_reported"}
    assert hidden["value"].null_count() == hidden.height
    assert set(hidden["period_start"]) <= {FIRST + dt.timedelta(days=2)}
    return {name.removesuffix("__uec_sitrep") for name in hidden["metric_id"]}


NO_BEDS = dict.fromkeys(GENERAL_ACUTE, 0.0)


@pytest.mark.parametrize(
    ("day", "missing"),
    [
        ({}, set()),
        (NO_BEDS, GENERAL_ACUTE),
        (
            {**NO_BEDS, "open_beds__adult_critical_care": 0.0, "occupied_beds__adult_critical_care": 0.0},
            {*GENERAL_ACUTE, "open_beds__adult_critical_care", "occupied_beds__adult_critical_care"},
        ),
        ({**NO_BEDS, "ambulance_arrivals__all": 0.0}, {*GENERAL_ACUTE, "ambulance_arrivals__all"}),
        ({**NO_BEDS, "handovers_30_to_60_minutes__all": 0.0}, GENERAL_ACUTE),
        ({"occupied_beds__general_acute": 0.0}, {"occupied_beds__general_acute"}),
        ({"patients_over_7_days__all": 0.0}, {"patients_over_7_days__all"}),
        ({"patients_over_7_days__all": 0.0, "patients_over_14_days__all": 0.0}, set()),
        ({"open_beds__adult_critical_care": 0.0}, set()),
        ({"escalation_beds__general_acute": 0.0, "closures__all": 0.0}, set()),
        ({"open_beds__general_acute": None}, set()),
        ({"open_beds__general_acute": None, "occupied_beds__general_acute": 0.0}, set()),
    ],
    ids=[
        "a whole return",
        "no beds at all",
        "no critical care either",
        "no arrivals either",
        "no delays is no news",
        "beds open and none occupied",
        "stays over 14 days and none over 7",
        "no long stays",
        "no critical care on a day with beds",
        "no escalation, no closures",
        "already missing",
        "none occupied of nobody knows how many",
    ],
)
def test_zeros_that_mean_not_reported(day: dict[str, float | None], missing: set[str]) -> None:
    assert winter(day) == missing


def test_a_trust_that_never_has_beds_has_none() -> None:
    assert winter({}, others=NO_BEDS) == set()


def test_what_is_usually_none_may_be_none_on_a_day_without_beds() -> None:
    """A unit that opened once in the winter."""
    assert winter(NO_BEDS, first={"open_beds__neonatal_critical_care": 4.0}) == GENERAL_ACUTE


def test_printed_totals_are_left_alone() -> None:
    assert winter(NO_BEDS, record="published_nation") == set()
