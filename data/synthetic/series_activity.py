"""The truth behind the A&E time series: England by month, as the monthly returns add up.

Months without a monthly return in the synthetic England lie half-way between their neighbours.
"""

from __future__ import annotations

import datetime as dt

from data.synthetic.ae_activity import BOOKED_FROM, DEPARTMENTS
from data.synthetic.geography import NATION_CODE
from data.synthetic.publication import Publication, month_end

FEED = "ae_timeseries"
PUBLISHED = dt.date(2021, 1, 14)
FIRST, LAST = dt.date(2020, 2, 1), dt.date(2020, 12, 1)

Month = dict[str, int]


def series_publications(monthly: list[Publication]) -> list[Publication]:
    """The one issue, from the publications of the monthly return."""
    known = {
        month: _england(publication, month)
        for publication in monthly
        for month in [next(start for _, start in publication.figures)]
        if month <= LAST
    }
    publication = Publication(FEED, PUBLISHED)
    for month in months():
        told = known.get(month) or _between(known, month)
        for metric, value in told.items():
            if month >= BOOKED_FROM or "booked" not in metric:
                publication.say(f"{metric}__ae_timeseries", month, NATION_CODE, value, month_end(month))
    return [publication]


def months() -> list[dt.date]:
    """First day of each month of the series."""
    return [dt.date(2020, number, 1) for number in range(FIRST.month, LAST.month + 1)]


def _england(publication: Publication, month: dt.date) -> Month:
    def of(metric: str) -> dict[str, int | float | None]:
        return publication.figures.get((f"{metric}__msitae", month), {})

    def total(metric: str) -> int:
        return int(sum(value or 0 for value in of(metric).values()))

    told: Month = {}
    for one in DEPARTMENTS:
        told[f"attendances__{one}"] = total(f"attendances_not_booked__{one}") + total(f"attendances_booked__{one}")
        told[f"emergency_admissions_via_ae__{one}"] = total(f"emergency_admissions_via_ae__{one}")
        told[f"attendances_booked__{one}"] = total(f"attendances_booked__{one}")
        told[f"over_four_hours_booked__{one}"] = total(f"over_four_hours_booked__{one}")
        over = measured = 0
        for how in ("not_booked", "booked"):
            waited, came = of(f"over_four_hours_{how}__{one}"), of(f"attendances_{how}__{one}")
            over += int(sum(value or 0 for value in waited.values()))
            measured += int(sum(came[code] or 0 for code, value in waited.items() if value is not None))
        told[f"over_four_hours__{one}"] = over
        told[f"within_four_hours__{one}"] = measured - over
    for measure in {metric.split("__")[0] for metric in sorted(told)}:
        told[f"{measure}__all"] = sum(told[f"{measure}__{one}"] for one in DEPARTMENTS)
    over_12 = total("waits_dta_over_12_hours__all")
    told["waits_dta_over_4_hours__all"] = total("waits_dta_4_to_12_hours__all") + over_12
    told["waits_dta_over_12_hours__all"] = over_12
    told["other_emergency_admissions__all"] = total("other_emergency_admissions__all")
    return dict(sorted(told.items()))


def _between(known: dict[dt.date, Month], month: dt.date) -> Month:
    """Half-way between the nearest months before and after, department by department."""
    before, after = max(one for one in known if one < month), min(one for one in known if one > month)
    told = {metric: (value + known[after][metric]) // 2 for metric, value in known[before].items()}
    for metric in told:
        measure, dimension = metric.split("__")
        if dimension == "all" and f"{measure}__{DEPARTMENTS[0]}" in told:
            told[metric] = sum(told[f"{measure}__{one}"] for one in DEPARTMENTS)
    return told
