"""The truth of one publication of figures: what it says, of whom, for which period, and known since when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

Value = int | float | None
Key = tuple[str, dt.date]

REPORTED = "reported"
PROVISIONAL = "provisional"
NOT_REPORTED = "not_reported"
NOT_COLLECTED = "not_collected"
DAY = dt.timedelta(days=1)


@dataclass
class Publication:
    """Figures by (metric_id, first day of the period), then by organisation code.

    A value of None is a figure that was not reported; a code that is not there has no row in the publication.
    `last_days` is the last day of periods of more than one day, `statuses` what is neither reported nor not reported.
    """

    feed: str
    known_from: dt.date
    figures: dict[Key, dict[str, Value]] = field(default_factory=dict)
    last_days: dict[Key, dt.date] = field(default_factory=dict)
    statuses: dict[tuple[str, dt.date, str], str] = field(default_factory=dict)

    def say(
        self,
        metric_id: str,
        period_start: dt.date,
        org_code: str,
        value: Value,
        period_end: dt.date | None = None,
        status: str | None = None,
    ) -> None:
        """State one figure."""
        key = (metric_id, period_start)
        self.figures.setdefault(key, {})[org_code] = value
        if period_end and period_end != period_start:
            self.last_days[key] = period_end
        if status and (status == NOT_COLLECTED or value is not None):
            self.statuses[metric_id, period_start, org_code] = status

    def period_end(self, metric_id: str, period_start: dt.date) -> dt.date:
        """Last day of the period."""
        return self.last_days.get((metric_id, period_start), period_start)

    def status(self, metric_id: str, period_start: dt.date, org_code: str) -> str:
        """Which of the states the figure is in."""
        value = self.figures[metric_id, period_start][org_code]
        return self.statuses.get((metric_id, period_start, org_code), REPORTED if value is not None else NOT_REPORTED)


def month_end(first: dt.date) -> dt.date:
    """Last day of the month that begins on `first`."""
    return (first + dt.timedelta(days=31)).replace(day=1) - DAY


def days_from(first: dt.date, last: dt.date) -> list[dt.date]:
    """Every day from the first to the last."""
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
