"""Zeros that mean "not reported": trusts whose winter return lacked a part on some days.

The workbook of the winter situation report prints 0 where a trust sent nothing. No acute trust closes all its beds
for a day or empties them, and a stay over 14 days is one over 7 too. The rules see nothing but the publication
itself, so no list of trusts and days needs to be kept.
"""

from __future__ import annotations

import polars as pl

from pipelines.domain.feeds import NOT_REPORTED, PROVIDER

REASON = "zero_for_missing"

OPEN = "open_beds__general_acute__uec_sitrep"
OCCUPIED = "occupied_beds__general_acute__uec_sitrep"
OVER_7_DAYS = "patients_over_7_days__all__uec_sitrep"
OVER_14_DAYS = "patients_over_14_days__all__uec_sitrep"
OTHERS_OF_THE_SHEET = ["core_beds__general_acute__uec_sitrep", "escalation_beds__general_acute__uec_sitrep"]
# What a trust of any size has every day when it usually has it; delays, diverts and closures can well be none.
NEVER_NONE = r"^(open_beds|occupied_beds|patients_over_\d+_days|ambulance_arrivals)__"


def zeros_not_reported(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a winter with the zeros that stand for a missing return turned into not reported.

    1. Total general and acute beds open 0, while the trust has some on other days: the return of that day lacked its
       beds. Its four general and acute figures are not reported, nor is any other bed count, long stay or ambulance
       arrival that is 0 on that day though usually (by its median) it is not.
    2. No general and acute bed occupied, while beds are open and on other days occupied.
    3. No stay over 7 days, while there are stays over 14 days.
    """
    day = ["org_code", "period_start", "period_end"]
    figures = rows.filter(pl.col("record") == PROVIDER).with_columns(
        usual=pl.col("value").median().over("org_code", "metric_id"),
        most=pl.col("value").max().over("org_code", "metric_id"),
    )

    def of(metric_id: str, *, zero: bool) -> pl.DataFrame:
        """Trust-days on which a measure that the trust has at other times is 0, or is above 0."""
        wanted = pl.col("value") == 0 if zero else pl.col("value") > 0
        return figures.filter((pl.col("metric_id") == metric_id) & (pl.col("most") > 0) & wanted).select(day)

    without_beds = of(OPEN, zero=True)
    missing = pl.concat(
        [
            figures.join(without_beds, on=day, how="semi").filter(
                pl.col("metric_id").is_in([OPEN, OCCUPIED, *OTHERS_OF_THE_SHEET])
                | ((pl.col("value") == 0) & (pl.col("usual") > 0) & pl.col("metric_id").str.contains(NEVER_NONE))
            ),
            figures.filter(pl.col("metric_id") == OCCUPIED)
            .join(of(OCCUPIED, zero=True), on=day, how="semi")
            .join(of(OPEN, zero=False), on=day, how="semi"),
            figures.filter((pl.col("metric_id") == OVER_7_DAYS) & (pl.col("value") == 0)).join(
                of(OVER_14_DAYS, zero=False), on=day, how="semi"
            ),
        ]
    )
    cell = ["source_sheet", "source_row", "source_column"]
    hidden = pl.col("hidden").is_not_null()
    return (
        rows.join(missing.select(*cell, hidden=pl.lit(True)).unique(), on=cell, how="left", maintain_order="left")
        .with_columns(
            value=pl.when(~hidden).then("value"),
            status=pl.when(hidden).then(pl.lit(NOT_REPORTED)).otherwise("status"),
            status_reason=pl.when(hidden).then(pl.lit(REASON)).otherwise("status_reason"),
        )
        .drop("hidden")
    )
