"""London's wall clock and UTC, tried out instant by instant: no table of clock changes, only the zone itself."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
OFFSETS = {"+00:00": 0 * HOUR, "+01:00": HOUR}


class LocalTimeInvalid(Exception):
    """London's clocks never showed this, or not with this offset."""


def shows(instant: dt.datetime) -> dt.datetime:
    """What London's clocks show at a UTC instant (both without zone)."""
    return instant.replace(tzinfo=dt.UTC).astimezone(LONDON).replace(tzinfo=None)


def instants(wall: dt.datetime) -> list[dt.datetime]:
    """The UTC instants at which London's clocks show `wall`: one, none (spring) or two (autumn), in order."""
    return [wall - offset for offset in sorted(OFFSETS.values(), reverse=True) if shows(wall - offset) == wall]


def utc(wall: dt.datetime, offset: str | None, not_before: dt.datetime | None = None) -> dt.datetime:
    """The UTC instant of a wall time as sent.

    Without an offset the first of two, unless it precedes `not_before`, the record's own start. Raises
    `LocalTimeInvalid`.
    """
    found = instants(wall)
    if offset is not None:
        found = [instant for instant in found if wall - instant == OFFSETS[offset]]
    if not found:
        raise LocalTimeInvalid
    if not_before is not None and found[0] < not_before:
        return found[-1]
    return found[0]


def local_date(instant: dt.datetime) -> dt.date:
    """The date in London at a UTC instant."""
    return shows(instant).date()


def at(day: dt.date, hour: int = 0) -> dt.datetime:
    """The UTC instant of a full hour of a local day that happens once."""
    [instant] = instants(dt.datetime.combine(day, dt.time(hour)))
    return instant


def end_of(day: dt.date) -> dt.datetime:
    """Midnight at the end of a local day, as UTC."""
    return at(day + DAY)


def full_hours(first: dt.datetime, last: dt.datetime) -> list[dt.datetime]:
    """The full UTC hours from `first` to `last`, both included when they are full hours."""
    hour = first.replace(minute=0)
    hours = []
    while hour <= last:
        if hour >= first:
            hours.append(hour)
        hour += HOUR
    return hours
