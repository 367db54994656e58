"""The truth behind the winter daily situation report: December 2019 in two issues, the second a re-issue to the 31st.

Planted in it: one trust that returns 5 % too few general and acute beds, one whose zeros mean "not reported", one
late in the first issue, one missing on a day, one that sends the same return for a fortnight, figures that the second
issue corrects, and 24 to 26 December in one return.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from data.synthetic.england import England
from data.synthetic.events import returns
from data.synthetic.hospitals import BED_TYPES, stocks
from data.synthetic.organisations import Organisation
from data.synthetic.publication import Publication, days_from

FEED = "uec_sitrep"
BASIS = "uec_sitrep"


def _december(day: int) -> dt.date:
    return dt.date(2019, 12, day)


@dataclass(frozen=True)
class Issue:
    """One issue: from 2 December to its last day."""

    published: dt.date
    last: dt.date

    @property
    def periods(self) -> list[tuple[dt.date, dt.date]]:
        """First and last day of each return: single days, and Christmas."""
        single = [(day, day) for day in days_from(FIRST, self.last) if not CHRISTMAS[0] <= day <= CHRISTMAS[1]]
        return sorted([*single, CHRISTMAS] if self.last >= CHRISTMAS[1] else single)


FIRST = _december(2)
CHRISTMAS = (_december(24), _december(26))
ISSUES = (Issue(_december(19), _december(15)), Issue(dt.date(2020, 1, 9), _december(31)))

UNDER_REPORTING, UNDER_REPORTED_SHARE = "ZB8", 0.95
ZERO_FOR_MISSING, ZERO_DAYS = "ZB6", tuple(_december(day) for day in (2, 3, 4, 5, 6, 10))
LATE, LATE_DAYS = "ZC3", tuple(_december(day) for day in (13, 14, 15))
MISSING, MISSING_DAYS = "ZA6", (_december(29),)
REPEATING, REPEATED_DAY, REPEATED_TO = "ZC1", _december(10), _december(23)

FLOWS = (
    "closures",
    "diverts",
    "ambulance_arrivals",
    "handovers_30_to_60_minutes",
    "handovers_over_60_minutes",
)
CLOSURES, DIVERTS, ARRIVALS, OVER_30, OVER_60 = (f"{flow}__all__{BASIS}" for flow in FLOWS)
LONG_STAYS = tuple(f"patients_over_{days}_days__all__{BASIS}" for days in (7, 14, 21))
NOROVIRUS = tuple(f"beds_closed_norovirus{which}__all__{BASIS}" for which in ("", "_unoccupied"))
GENERAL_ACUTE = tuple(f"{what}_beds__general_acute__{BASIS}" for what in ("core", "escalation", "open", "occupied"))

# What the first issue said otherwise: metric, trust, day, by how much.
RESTATED = (
    (GENERAL_ACUTE[0], "ZA2", _december(5), -6),
    (GENERAL_ACUTE[2], "ZA2", _december(5), -6),
    (LONG_STAYS[0], "ZA7", _december(9), 4),
    (ARRIVALS, "ZB1", _december(11), -5),
)


def bed_metrics(bed_type: str) -> tuple[str, str]:
    """Open and occupied."""
    return f"open_beds__{bed_type}__{BASIS}", f"occupied_beds__{bed_type}__{BASIS}"


def winter_publications(england: England, seed: int) -> list[Publication]:
    """The two issues, the earlier first."""
    trusts = [trust for trust in england.hospital_trusts if returns(FEED, trust, FIRST)]
    publications = []
    for number, issue in enumerate(ISSUES):
        changes = {} if number else {(metric_id, code, day): by for metric_id, code, day, by in RESTATED}
        publication = Publication(FEED, issue.published)
        for first, last in issue.periods:
            for trust in trusts:
                silent = (trust.code == MISSING and first in MISSING_DAYS) or (
                    trust.code == LATE and first in LATE_DAYS and not number
                )
                for metric_id, value in _return(trust, first, last, seed).items():
                    hidden = trust.code == ZERO_FOR_MISSING and first in ZERO_DAYS and metric_id in GENERAL_ACUTE
                    said = None if silent or hidden else value + changes.get((metric_id, trust.code, first), 0)
                    publication.say(metric_id, first, trust.code, said, last)
        publications.append(publication)
    return publications


def planted() -> list[list[object]]:
    """What is wrong on purpose, by trust: what, feed, code, first and last day, and how large where it has a size."""
    told = (
        ("under_report", UNDER_REPORTING, FIRST, ISSUES[-1].last, 1 - UNDER_REPORTED_SHARE),
        ("zero_for_missing", ZERO_FOR_MISSING, ZERO_DAYS[0], ZERO_DAYS[-1], len(ZERO_DAYS)),
        ("late_return", LATE, LATE_DAYS[0], LATE_DAYS[-1], len(LATE_DAYS)),
        ("missing_return", MISSING, MISSING_DAYS[0], MISSING_DAYS[-1], len(MISSING_DAYS)),
        ("identical_returns", REPEATING, REPEATED_DAY, REPEATED_TO, (REPEATED_TO - REPEATED_DAY).days + 1),
    )
    return [[what, FEED, code, first, last, round(size, 4)] for what, code, first, last, size in told]


def _return(trust: Organisation, first: dt.date, last: dt.date, seed: int) -> dict[str, int]:
    """One return: stocks as on its last day, flows added over its days."""
    days = [_told_on(trust, day) for day in days_from(first, last)]
    values = _stocks(trust, days[-1], seed)
    flows = [_flows(trust, day, seed) for day in days]
    return values | {metric_id: sum(flow[metric_id] for flow in flows) for metric_id in flows[0]}


def _told_on(trust: Organisation, day: dt.date) -> dt.date:
    repeats = trust.code == REPEATING and REPEATED_DAY <= day <= REPEATED_TO
    return REPEATED_DAY if repeats else day


def _stocks(trust: Organisation, day: dt.date, seed: int) -> dict[str, int]:
    found = stocks(trust, day, seed)
    chance = random.Random(f"{seed}:{FEED}:{trust.code}:{day}")
    general = found["general_acute"]
    share = UNDER_REPORTED_SHARE if trust.code == UNDER_REPORTING else 1
    core, escalation = round(general.core * share), round(general.escalation * share)
    values = dict(
        zip(GENERAL_ACUTE, (core, escalation, core + escalation, min(general.occupied, core + escalation)), strict=True)
    )
    for bed_type in BED_TYPES[1:]:
        values |= zip(bed_metrics(bed_type), (found[bed_type].open, found[bed_type].occupied), strict=True)
    over_7 = round(general.occupied * chance.uniform(0.40, 0.48))
    over_14 = round(over_7 * chance.uniform(0.52, 0.6))
    values |= zip(LONG_STAYS, (over_7, over_14, round(over_14 * chance.uniform(0.58, 0.66))), strict=True)
    closed = chance.randint(2, 30) if chance.random() < 0.25 else 0
    values |= zip(NOROVIRUS, (closed, round(closed * chance.uniform(0.1, 0.5))), strict=True)
    return values


def _flows(trust: Organisation, day: dt.date, seed: int) -> dict[str, int]:
    chance = random.Random(f"{seed}:{FEED}:flows:{trust.code}:{day}")
    size = stocks(trust, day, seed)["general_acute"].open
    arrivals = round(size * chance.uniform(0.13, 0.18)) if trust.kind == "acute" else 0
    delayed = round(arrivals * chance.uniform(0.02, 0.16))
    return {
        CLOSURES: 1 if arrivals and chance.random() < 0.01 else 0,
        DIVERTS: 1 if arrivals and chance.random() < 0.05 else 0,
        ARRIVALS: arrivals,
        OVER_30: delayed,
        OVER_60: round(delayed * chance.uniform(0.05, 0.4)),
    }
