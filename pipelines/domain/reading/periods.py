"""Periods as publications write them: a day, a range of days, a month, a quarter of a financial year.

Every function gives the first and the last day (inclusive) and raises `NotThis` when the text is no such period.
"""

from __future__ import annotations

import datetime as dt
import re

from pipelines.domain.reading import values
from pipelines.domain.reading.cells import Cell, text
from pipelines.domain.reading.values import NotThis

Period = tuple[dt.date, dt.date]

THURSDAY = 3
DASH = re.compile(r"\s+(?:-|\u2013|to|and)\s+|(?<=[0-9])\s*[-\u2013]\s*(?=[0-9]{1,2}\s+[A-Za-z])", re.IGNORECASE)
# The first of two days may leave out the month and year that it shares with the second.
DAY_ONLY = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?", re.IGNORECASE)
DAY_MONTH = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?\s+([A-Za-z]+)", re.IGNORECASE)
DAY_IN_TEXT = re.compile(r"\b([0-9]{1,2})(?:st|nd|rd|th)?\s+([A-Za-z]{3,9})\s+(20[0-9]{2})\b", re.IGNORECASE)
MONTHS_OF_YEAR = re.compile(r"(?:([A-Za-z]+)\s+(?:to|-|\u2013)\s+)?([A-Za-z]+)\s+(20[0-9]{2})", re.IGNORECASE)
FINANCIAL_YEAR = re.compile(r"(20[0-9]{2})[-/](?:20)?([0-9]{2})")
QUARTER = re.compile(r"Q(?:uarter\s*)?([1-4])", re.IGNORECASE)
# The last month of each quarter of a financial year, which begins in April.
LAST_MONTHS = (6, 9, 12, 3)


def days(cell: Cell) -> Period:
    """A day, or a range of days such as `24 - 26 December 2019` or `21/12/2019 - 23/12/2019`."""
    written = text(cell)
    ends = DASH.split(written) if isinstance(cell, str) else []
    if len(ends) == 2:
        last = _day(ends[1])
        first = _first(ends[0], last)
        if first <= last:
            return first, last
        raise NotThis("a range of days that ends before it begins")
    day = _day(cell)
    return day, day


def _first(written: str, last: dt.date) -> dt.date:
    if match := DAY_ONLY.fullmatch(written):
        return _day(f"{match[1]} {last:%B %Y}")
    if match := DAY_MONTH.fullmatch(written):
        first = _day(f"{match[1]} {match[2]} {last.year}")
        return first if first <= last else _day(f"{match[1]} {match[2]} {last.year - 1}")
    return _day(written)


def _day(cell: Cell) -> dt.date:
    day = values.date(cell)
    if day is None:
        raise NotThis("no day where one is due")
    return day


def stated(cell: Cell) -> Period:
    """What a preamble's `Period:` says.

    A month (`January 2020`), months (`October to December 2019`), or the first and last day that the text names
    (`8th December 2020 to 14th February 2021`, `All data up to 4pm 22 September 2020`).
    """
    written = text(cell)
    if match := MONTHS_OF_YEAR.fullmatch(written):
        year, last = int(match[3]), _month_number(match[2])
        first = _month_number(match[1]) if match[1] else last
        if first <= last:
            return dt.date(year, first, 1), _month_end(year, last)
    try:
        named = [_day(" ".join(parts)) for parts in DAY_IN_TEXT.findall(written)]
        return (min(named), max(named)) if named else days(cell)
    except NotThis:
        raise NotThis("not a period such as January 2020 or 2 December 2019 - 1 March 2020") from None


def month(cell: Cell) -> Period:
    """A month: its name and year, or the date of its first day."""
    if isinstance(cell, str):
        return values.month(cell)
    first = _day(cell)
    if first.day != 1:
        raise NotThis("not the first day of a month")
    return first, _month_end(first.year, first.month)


def quarter(year: Cell, end: Cell) -> Period:
    """A quarter of a financial year: `2019-20` and its last month (`December`) or number (`Q3`)."""
    years, written = FINANCIAL_YEAR.fullmatch(text(year)), text(end)
    if not years or int(years[2]) != (int(years[1]) + 1) % 100:
        raise NotThis("not a financial year such as 2019-20")
    number = QUARTER.fullmatch(written)
    last = LAST_MONTHS[int(number[1]) - 1] if number else _month_number(written)
    if last not in LAST_MONTHS:
        raise NotThis("not the last month of a quarter")
    calendar_year = int(years[1]) + (last == LAST_MONTHS[-1])
    return dt.date(calendar_year, last - 2, 1), _month_end(calendar_year, last)


def last_thursday(period: Period) -> Period:
    """The last Thursday of a period, as a period of one day."""
    last = period[1]
    day = last - dt.timedelta(days=(last.weekday() - THURSDAY) % 7)
    return day, day


def _month_number(name: str) -> int:
    numbers = [
        number
        for number, month in enumerate(values.MONTHS, start=1)
        if len(name) >= 3 and month.startswith(name.lower())
    ]
    if not numbers:
        raise NotThis("not the name of a month")
    return numbers[0]


def _month_end(year: int, number: int) -> dt.date:
    return (dt.date(year, number, 28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
