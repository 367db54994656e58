"""The fifteen sheets of the weekly workbook, in order, with the publisher's words above each table."""

from __future__ import annotations

from dataclasses import dataclass

from data.synthetic.bed_activity import (
    ADMISSIONS,
    ALL_BEDS,
    CARE_HOME,
    COMMUNITY,
    LAGGED,
    NEW_CASES,
    VENTILATED,
)


@dataclass(frozen=True)
class SheetText:
    """One sheet: the measure it holds, its metadata, and the three lines (and a note) above the header."""

    name: str
    metric_id: str
    title: str
    summary: str
    heading: str
    meaning: str
    coverage: str = "For NHS trusts and independent sector providers"
    note: str = ""


_ADMITTED = "Shows the number of patients admitted in previous 24 hours"
_FIRST_TIME = f"{_ADMITTED} for the first time with COVID-19"
_DIAGNOSED = "plus the number of patients diagnosed in hospital in previous 24 hours"


def _admissions(number: int, name: str, metric_id: str, summary: str, meaning: str, **more: str) -> SheetText:
    title = "COVID-19 daily situation report COVID-19 admissions estimates in England"
    return SheetText(name, metric_id, title, summary, f"{number}. {summary}", meaning, **more)


def _beds(name: str, metric_id: str, kind: str, state: str, meaning: str) -> SheetText:
    title = "COVID-19 daily situation report COVID-19 beds figures in England"
    summary = f"{kind} - {state} (as at 08:00)"
    meaning = f"Shows the number of {meaning} (as at 08:00)"
    return SheetText(name, f"{metric_id}__covid_sitrep", title, summary, summary, meaning)


def _bed_type(short: str, kind: str, words: str, dimension: str) -> tuple[SheetText, ...]:
    confirmed, others = "confirmed COVID-19 patients", "non-COVID-19 patients"
    return (
        _beds(
            f"Adult {short} Beds Occupied COVID",
            f"covid_occupied_beds__{dimension}",
            kind,
            f"occupied by {confirmed}",
            f"{words} containing {confirmed}",
        ),
        _beds(
            f"Adult {short} Bed Occupied NonCOVID",
            f"non_covid_occupied_beds__{dimension}",
            kind,
            f"occupied by {others}",
            f"{words} containing {others}",
        ),
        _beds(
            f"Adult {short} Beds Unoccupied",
            f"unoccupied_beds__{dimension}",
            kind,
            "Unoccupied",
            f"{words} unoccupied",
        ),
        _beds(
            f"Adult {short} Beds Unoccupied Non",
            f"unoccupied_beds_non_covid__{dimension}",
            kind,
            "Unoccupied, available to non-COVID patients",
            f"{words} unoccupied available to non-COVID patients",
        ),
    )


SHEETS = (
    _admissions(
        1,
        "Hosp ads & diag",
        ADMISSIONS,
        "Total reported admissions to hospital and diagnoses in hospital",
        f"{_ADMITTED} where patient known to have COVID-19 plus patients diagnosed in hospital with COVID-19 "
        "in previous 24 hours",
    ),
    _admissions(2, "New hosp cases", NEW_CASES, "Estimated new hospital cases", f"{_FIRST_TIME} {_DIAGNOSED} "),
    _admissions(
        3,
        "Hosp ads from comm",
        COMMUNITY,
        "Estimated new admissions to hospital from the community",
        f"{_FIRST_TIME} {_DIAGNOSED} where the test was within 7 days of admission",
    ),
    _admissions(
        4,
        "Hosp ads from comm with lag",
        LAGGED,
        "Estimated new hospital admissions from the community with 3-7 day lagging",
        f"{_FIRST_TIME} {_DIAGNOSED} where the test was within 48 hours of admission {_DIAGNOSED} "
        "where the test was 3-7 days after admission (lagged by 5 days) ",
        note="Note that the last 5 days of this time series may be an underestimate as they do not include "
        "diagnosed patients where the test was taken within 3-7 days of admission as that data element is "
        "not yet available. These figures will be revised as the data becomes available.",
    ),
    _admissions(
        5,
        "Care home ads and diags",
        CARE_HOME,
        "Total reported hospital admissions and diagnoses from a care home",
        "Shows the number of patients admitted in the previous 24 hours with COVID-19 or diagnosed with "
        "COVID-19 in the previous 24 hours where admitted from Care Homes",
        coverage="For NHS trusts and independent sector providers. Note that data prior to 12 October "
        "excluded NHS and Independent Sector Mental Health and Learning Disability providers.",
    ),
    _beds(
        "All beds COVID",
        ALL_BEDS.removesuffix("__covid_sitrep"),
        "Total beds",
        "occupied by confirmed COVID-19 patients",
        "beds containing confirmed COVID-19 patients",
    ),
    _beds(
        "MV beds COVID",
        VENTILATED.removesuffix("__covid_sitrep"),
        "Mechanical Ventilation beds",
        "occupied by confirmed COVID-19 patients",
        "MV beds containing confirmed COVID-19 patients",
    ),
    *_bed_type("G&A", "Adult General and Acute beds", "adult general and acute beds", "general_acute"),
    *_bed_type("CC", "Adult Critical Care beds", "adult critical care beds", "adult_critical_care"),
)
