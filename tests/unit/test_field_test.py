"""Which zeros mean "not reported": the field test of A&E standards, found by rule."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from pipelines.domain.field_test import REASON, breaches_not_reported

INSIDE = dt.date(2021, 6, 1)
ATTENDANCES = "attendances_not_booked__type_1__msitae"
BREACHES = (
    "over_four_hours_not_booked__type_1__msitae",
    "over_four_hours_not_booked__type_2__msitae",
    "over_four_hours_not_booked__other__msitae",
    "over_four_hours_booked__type_1__msitae",
    "over_four_hours_booked__type_2__msitae",
    "over_four_hours_booked__other__msitae",
)
OTHERS = ("attendances_booked__type_1__msitae", "waits_dta_over_12_hours__all__msitae")

Cells = dict[str, float | None]


def month(
    *, type_1: float | None, breaches: Cells | None = None, day: dt.date = INSIDE, record: str = "provider"
) -> pl.DataFrame:
    """A month of one provider; breaches that are not named are 0."""
    cells: Cells = {
        ATTENDANCES: type_1,
        **dict.fromkeys(OTHERS, 0.0),
        **dict.fromkeys(BREACHES, 0.0),
        **(breaches or {}),
    }
    return pl.DataFrame(
        {
            "record": record,
            "org_code": "ZA0" if record == "provider" else None,
            "metric_id": list(cells),
            "period_start": day,
            "value": list(cells.values()),
            "status": ["not_reported" if value is None else "reported" for value in cells.values()],
            "status_reason": pl.Series([None] * len(cells), dtype=pl.String),
        },
        schema_overrides={"value": pl.Float64, "org_code": pl.String},
    )


def hidden(rows: pl.DataFrame) -> set[str]:
    """The measures that came out as not reported because of the field test; nothing else may have changed."""
    after = breaches_not_reported(rows)
    changed = after.filter(pl.col("status_reason").is_not_null())
    assert set(changed["status_reason"]) <= {REASON}
    assert set(changed["status"]) <= {"not_reported"}
    assert changed["value"].null_count() == changed.height
    kept = after.filter(pl.col("status_reason").is_null())
    assert kept.equals(rows.filter(~pl.col("metric_id").is_in(changed["metric_id"].to_list())))
    return set(changed["metric_id"])


@pytest.mark.parametrize(
    ("day", "in_test"),
    [
        (dt.date(2019, 4, 1), False),
        (dt.date(2019, 5, 1), True),
        (dt.date(2023, 5, 1), True),
        (dt.date(2023, 6, 1), False),
    ],
    ids=str,
)
def test_the_months_of_the_field_test(day: dt.date, in_test: bool) -> None:
    """May 2019 to May 2023, both in it; every breach column, booked ones too; attendances and waits stay."""
    assert hidden(month(type_1=9000, day=day)) == (set(BREACHES) if in_test else set())


@pytest.mark.parametrize(("type_1", "in_test"), [(1000, False), (1001, True), (0, False), (None, False)])
def test_only_a_large_department_is_silent(type_1: float | None, in_test: bool) -> None:
    """Above a thousand type 1 attendances no month is without a breach; at a walk-in centre zero is zero."""
    assert bool(hidden(month(type_1=type_1))) == in_test


@pytest.mark.parametrize("column", BREACHES)
def test_one_breach_is_a_report(column: str) -> None:
    """A single breach in any column, booked too, shows that the trust reports."""
    assert hidden(month(type_1=9000, breaches={column: 1.0})) == set()


def test_breaches_that_cancel_out_are_breaches() -> None:
    """A negative figure is for the gate to refuse, not for this rule to hide."""
    assert hidden(month(type_1=9000, breaches={BREACHES[0]: 1.0, BREACHES[1]: -1.0})) == set()


def test_a_cell_that_is_missing_already_says_so() -> None:
    """The rule is about zeros: where a breach is missing, the missing cells keep their own reason."""
    assert hidden(month(type_1=9000, breaches={BREACHES[0]: None})) == set()


def test_each_trust_and_month_is_judged_by_itself() -> None:
    """A silent trust does not silence the next one; a published total is no trust."""
    reports = month(type_1=9000, breaches={BREACHES[0]: 5.0}).with_columns(org_code=pl.lit("ZA1"))
    total = month(type_1=9000, record="published_nation")
    assert hidden(total) == set()
    after = breaches_not_reported(pl.concat([month(type_1=9000), reports, total]))
    silenced = after.filter(pl.col("status_reason") == REASON)
    assert set(silenced["org_code"]) == {"ZA0"}
    assert silenced.height == len(BREACHES)


def test_before_august_2020_there_are_no_booked_columns() -> None:
    """The three columns that there were are the three that were not reported."""
    early = month(type_1=9000, day=dt.date(2020, 7, 1)).filter(
        ~pl.col("metric_id").str.contains("__booked|_booked__", literal=False)
        | pl.col("metric_id").str.contains("not_booked")
    )
    assert hidden(early) == {column for column in BREACHES if "not_booked" in column}
