"""The rules of reading that specifications name: each takes a row of a table and gives what the rule says of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl

from pipelines.domain.feeds import PROVIDER, REPORTED
from pipelines.domain.field_test import ATTENDANCES, breaches_not_reported
from pipelines.domain.reading import periods, sheets
from pipelines.domain.reading.values import NotThis
from pipelines.domain.winter_zeros import zeros_not_reported

Line = dict[str, str | None]
Told = list[dict[str, Any]]
REFUSED = "refused"


def days(lines: list[Line]) -> Told:
    """First and last day of a header."""
    return [_period(lambda line=line: periods.days(line["header"])) for line in lines]


def month(lines: list[Line]) -> Told:
    """First and last day of a month's header."""
    return [_period(lambda line=line: periods.month(line["header"])) for line in lines]


def quarter(lines: list[Line]) -> Told:
    """First and last day of a quarter of a financial year."""
    return [_period(lambda line=line: periods.quarter(line["year"], line["ends in"])) for line in lines]


def census_day(lines: list[Line]) -> Told:
    """The day of the monthly critical care census."""
    return [{"census day": periods.last_thursday(periods.month(line["month"]))[0].isoformat()} for line in lines]


def field_test(lines: list[Line]) -> Told:
    """What becomes of a trust's breaches."""
    told = []
    for line in lines:
        cells = {
            ATTENDANCES: line["type 1 attendances"],
            "over_four_hours_not_booked__type_1__msitae": line["over four hours"],
        }
        rows = pl.DataFrame(
            {
                "record": PROVIDER,
                "org_code": "ZX1",
                "metric_id": list(cells),
                "period_start": dt.date.fromisoformat(str(line["month"])),
                "value": [float(str(value)) for value in cells.values()],
                "status": REPORTED,
                "status_reason": pl.Series([None] * len(cells), dtype=pl.String),
            }
        )
        [breaches] = breaches_not_reported(rows).filter(pl.col("metric_id") != ATTENDANCES).to_dicts()
        told.append({"status": breaches["status"], "reason": breaches["status_reason"]})
    return told


def tail(lines: list[Line]) -> Told:
    """The state of each day of a sheet whose last five days are provisional."""
    rows = pl.DataFrame(
        {
            "period_end": [dt.date.fromisoformat(str(line["day"])) for line in lines],
            "value": [None if line["value"] is None else float(line["value"]) for line in lines],
        },
        schema={"period_end": pl.Date, "value": pl.Float64},
    )
    told = rows.with_columns(**sheets.states(5)).to_dicts()
    return [{"status": row["status"], "reason": row["status_reason"]} for row in told]


WINTER = {
    "open": ("open beds", "open_beds__general_acute__uec_sitrep"),
    "occupied": ("occupied", "occupied_beds__general_acute__uec_sitrep"),
    "stays": ("over 7 days", "patients_over_7_days__all__uec_sitrep"),
    "longer": ("over 14 days", "patients_over_14_days__all__uec_sitrep"),
    "arrivals": ("arrivals", "ambulance_arrivals__all__uec_sitrep"),
    "closures": ("closures", "closures__all__uec_sitrep"),
}


def winter_zeros(lines: list[Line]) -> Told:
    """The state of a trust's figures on each day of a winter workbook."""
    cells = [
        {
            "record": PROVIDER,
            "org_code": "ZX1",
            "metric_id": metric_id,
            "period_start": dt.date.fromisoformat(str(line["day"])),
            "period_end": dt.date.fromisoformat(str(line["day"])),
            "value": float(str(line[column])),
            "status": REPORTED,
            "status_reason": None,
            "source_sheet": metric_id,
            "source_row": 1,
            "source_column": str(line["day"]),
        }
        for line in lines
        for column, metric_id in WINTER.values()
    ]
    rows = zeros_not_reported(pl.DataFrame(cells, schema_overrides={"status_reason": pl.String}))
    states = {(str(row["period_start"]), row["metric_id"]): row["status"] for row in rows.to_dicts()}
    told = [name for name in WINTER if name != "longer"]
    return [{f"{name} says": states[str(line["day"]), WINTER[name][1]] for name in told} for line in lines]


def _period(read: Callable[[], periods.Period]) -> dict[str, str]:
    try:
        first, last = read()
    except NotThis:
        return {"first day": REFUSED, "last day": REFUSED}
    return {"first day": first.isoformat(), "last day": last.isoformat()}
