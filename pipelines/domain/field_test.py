"""Zeros that mean "not reported": the field test of A&E standards, May 2019 to May 2023.

Fourteen trusts took part in NHS England's clinical review of standards. They went on reporting attendances but no
four-hour breaches; the publication shows 0 for them. The A&E time series (note on sheet Performance) leaves them
out of the four-hour rate for these months, and only there. They are found by rule, so that the merger of one of them
(RD3 into R0D, October 2020) needs no list to be kept.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from pipelines.domain.feeds import NOT_REPORTED, PROVIDER

FIRST_MONTH = dt.date(2019, 5, 1)
LAST_MONTH = dt.date(2023, 5, 1)
REASON = "field_test"
# A type 1 department of this size without one patient over four hours in a month does not exist.
TYPE_1_ATTENDANCES = 1_000

ATTENDANCES = "attendances_not_booked__type_1__msitae"
BREACHES = "over_four_hours_"


def breaches_not_reported(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a month with the breaches of field-test trusts turned from 0 into not reported.

    A trust is in the field test when its type 1 attendances exceed 1,000 and every four-hour cell it has is 0.
    """
    tested = (
        rows.filter((pl.col("record") == PROVIDER) & pl.col("period_start").is_between(FIRST_MONTH, LAST_MONTH))
        .group_by("org_code")
        .agg(
            attendances=pl.col("value").filter(pl.col("metric_id") == ATTENDANCES).sum(),
            breaches=pl.col("value").filter(pl.col("metric_id").str.starts_with(BREACHES)).abs().sum(),
            stated=pl.col("value").filter(pl.col("metric_id").str.starts_with(BREACHES)).is_not_null().all(),
        )
        .filter((pl.col("attendances") > TYPE_1_ATTENDANCES) & (pl.col("breaches") == 0) & pl.col("stated"))
    )
    hidden = (
        (pl.col("record") == PROVIDER)
        & pl.col("metric_id").str.starts_with(BREACHES)
        & pl.col("org_code").is_in(tested.get_column("org_code").to_list())
    )
    return rows.with_columns(
        value=pl.when(hidden).then(None).otherwise(pl.col("value")),
        status=pl.when(hidden).then(pl.lit(NOT_REPORTED)).otherwise(pl.col("status")),
        status_reason=pl.when(hidden).then(pl.lit(REASON)).otherwise(pl.col("status_reason")),
    )
