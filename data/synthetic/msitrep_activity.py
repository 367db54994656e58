"""The truth behind the monthly critical care return: beds on the last Thursday, transfers and operations in the month.

The census of December 2019 is the Thursday on which the winter return of 24 to 26 December ends.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from data.synthetic.england import England
from data.synthetic.events import returns
from data.synthetic.hospitals import BED_TYPES, stocks
from data.synthetic.publication import Publication, month_end

FEED = "critical_care_msitrep"
CRITICAL_CARE = BED_TYPES[1:]
TRANSFERS = "non_medical_critical_care_transfers__all__msitrep"
CANCELLED, CANCELLED_AGAIN = (f"urgent_operations_cancelled{again}__all__msitrep" for again in ("", "_again"))
THURSDAY = 3


@dataclass(frozen=True)
class Month:
    """One issue."""

    first: dt.date
    published: dt.date

    @property
    def census(self) -> dt.date:
        """The last Thursday of the month."""
        last = month_end(self.first)
        return last - dt.timedelta(days=(last.weekday() - THURSDAY) % 7)


ISSUES = (
    Month(dt.date(2019, 12, 1), dt.date(2020, 1, 16)),
    Month(dt.date(2020, 1, 1), dt.date(2020, 2, 13)),
    Month(dt.date(2020, 2, 1), dt.date(2020, 3, 10)),
)
# No row in one issue; a row without figures in another.
WITHOUT_ROW = ("ZD2", dt.date(2020, 1, 1))
WITHOUT_FIGURES = ("ZA9", dt.date(2020, 2, 1))


def census_publications(england: England, seed: int) -> list[Publication]:
    """One publication a month, oldest first."""
    publications = []
    for month in ISSUES:
        publication = Publication(FEED, month.published)
        last = month_end(month.first)
        for trust in england.hospital_trusts:
            if not returns(FEED, trust, month.first) or (trust.code, month.first) == WITHOUT_ROW:
                continue
            silent = (trust.code, month.first) == WITHOUT_FIGURES
            chance = random.Random(f"{seed}:{FEED}:{trust.code}:{month.first}")
            beds = stocks(trust, month.census, seed)
            for measure in ("open", "occupied"):
                for bed_type in CRITICAL_CARE:
                    metric_id = f"{measure}_beds__{bed_type}__msitrep"
                    value = None if silent else getattr(beds[bed_type], measure)
                    publication.say(metric_id, month.census, trust.code, value)
            cancelled = chance.randint(0, 9) if chance.random() < 0.4 else 0
            flows = {
                TRANSFERS: 1 if chance.random() < 0.1 else 0,
                CANCELLED: cancelled,
                CANCELLED_AGAIN: 1 if cancelled > 6 else 0,
            }
            for metric_id, count in flows.items():
                publication.say(metric_id, month.first, trust.code, None if silent else count, last)
        publications.append(publication)
    return publications
