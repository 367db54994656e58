"""The truth of one publication of figures: what it says, of whom, for which period, and known since when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

Value = int | None
Key = tuple[str, dt.date]


@dataclass
class Publication:
    """Figures by (metric_id, first day of the period), then by organisation code.

    A value of None is a figure that was not reported; a code that is not there has no row in the publication.
    """

    feed: str
    known_from: dt.date
    figures: dict[Key, dict[str, Value]] = field(default_factory=dict)

    def say(self, metric_id: str, period_start: dt.date, org_code: str, value: Value) -> None:
        """State one figure."""
        self.figures.setdefault((metric_id, period_start), {})[org_code] = value
