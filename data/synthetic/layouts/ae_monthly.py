"""The monthly A&E return as NHS England prints it: layouts V1 (to March 2020), V2 (to July 2020) and V3."""

from __future__ import annotations

import datetime as dt
import random

from data.synthetic.ae_activity import DEPARTMENTS, FEED
from data.synthetic.documents import Cell, DelimitedFile, Dialect, Table, TotalRow
from data.synthetic.england import England
from data.synthetic.geography import LONDON
from data.synthetic.organisations import Organisation
from data.synthetic.publication import Publication

V2_FROM = dt.date(2020, 4, 1)
V3_FROM = dt.date(2020, 8, 1)
LONG_NAME_AGAIN_FROM = dt.date(2021, 4, 1)
CRLF_FROM = dt.date(2024, 1, 1)
KEYS = ("Period", "Org Code", "Parent Org", "Org name")
# In V1 the parent of these two stands without a sub-region.
NO_SUB_REGION = ("ZS003", "ZP0009")

_DTA = (
    ("waits_dta_4_to_12_hours__all", "Patients who have waited 4-12 hs from DTA to admission"),
    ("waits_dta_over_12_hours__all", "Patients who have waited 12+ hrs from DTA to admission"),
)
_ADMISSIONS = (
    ("emergency_admissions_via_ae__type_1", "Emergency admissions via A&E - Type 1"),
    ("emergency_admissions_via_ae__type_2", "Emergency admissions via A&E - Type 2"),
    ("emergency_admissions_via_ae__other", "Emergency admissions via A&E - Other A&E department"),
    ("other_emergency_admissions__all", "Other emergency admissions"),
)
_OTHER = "Other Department"
_OTHER_AE = "Other A&E Department"


def _by_department(measure: str, words: str, other: str) -> tuple[tuple[str, str], ...]:
    names = ("Type 1", "Type 2", other)
    return tuple(
        (f"{measure}__{department}", f"{words} {name}") for department, name in zip(DEPARTMENTS, names, strict=True)
    )


V1 = (
    *_by_department("attendances_not_booked", "Number of A&E attendances", _OTHER_AE),
    *_by_department("over_four_hours_not_booked", "Number of attendances over 4hrs", _OTHER_AE),
    *_DTA,
    *_ADMISSIONS,
)
V2 = (
    *_by_department("attendances_not_booked", "A&E attendances", _OTHER_AE),
    *_by_department("over_four_hours_not_booked", "Attendances over 4hrs", _OTHER),
    *_DTA,
    *_ADMISSIONS,
)
V3 = (
    *_by_department("attendances_not_booked", "A&E attendances", _OTHER_AE),
    *_by_department("attendances_booked", "A&E attendances Booked Appointments", _OTHER),
    *_by_department("over_four_hours_not_booked", "Attendances over 4hrs", _OTHER),
    *_by_department("over_four_hours_booked", "Attendances over 4hrs Booked Appointments", _OTHER),
    *_DTA,
    *_ADMISSIONS,
)


def ae_files(england: England, publications: list[Publication], seed: int) -> list[DelimitedFile]:
    """One file per publication. A figure that was not reported is printed as 0, as the real files do."""
    return [_file(england, publication, number, seed) for number, publication in enumerate(publications, start=1)]


def _file(england: England, publication: Publication, number: int, seed: int) -> DelimitedFile:
    month = next(period for _, period in publication.figures)
    layout = V1 if month < V2_FROM else V2 if month < V3_FROM else V3
    rows = [
        [
            f"MSitAE-{month:%B-%Y}".upper().replace("MSITAE", "MSitAE"),
            provider.code,
            _parent(provider, month),
            provider.upper_name,
            *[_printed(publication, metric_id, month, provider.code) for metric_id, _ in layout],
        ]
        for provider in england.ae_providers
        if provider.code in publication.figures[f"{layout[0][0]}__msitae", month]
    ]
    random.Random(f"{seed}:{FEED}:order:{month}").shuffle(rows)
    table = Table(
        columns=[*KEYS, *[header for _, header in layout]],
        rows=rows,
        key=1,
        figures_from=len(KEYS),
        totals=[TotalRow(_total_label(month))],
    )
    table.recalculate_totals()
    return DelimitedFile(
        FEED,
        _name(month, publication.known_from, number),
        table,
        Dialect(line_end="\r\n" if month >= CRLF_FROM else "\n"),
    )


def _printed(publication: Publication, metric_id: str, month: dt.date, org_code: str) -> Cell:
    value = publication.figures[f"{metric_id}__msitae", month][org_code]
    return 0 if value is None else value


def _parent(provider: Organisation, month: dt.date) -> str:
    parent = f"NHS ENGLAND {provider.region.name.upper()}"
    if month >= V2_FROM:
        return parent if provider.region is LONDON else f"{parent} "
    sub_region = provider.icb.sub_region if provider.icb else None
    if sub_region is None:
        return parent
    return f"{parent} " if provider.code in NO_SUB_REGION else f"{parent} ({sub_region})"


def _total_label(month: dt.date) -> list[str]:
    if month < V2_FROM:
        return ["", "", "", "TOTAL" if month.month == 2 else "Total"]
    return ["Total" if month >= CRLF_FROM else "TOTAL"] * len(KEYS)


def _name(month: dt.date, published: dt.date, number: int) -> str:
    prefix = "" if V2_FROM <= month < LONG_NAME_AGAIN_FROM else "Monthly-AE-"
    return f"{prefix}{month:%B-%Y}-revised-{published:%d%m%y}-zz{number:03d}.csv"
