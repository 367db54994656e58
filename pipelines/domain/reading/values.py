"""Single cells into values, by the rules that English publications follow."""

from __future__ import annotations

import datetime as dt
import re

from pipelines.domain.reading.cells import Cell, text

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
EXCEL_EPOCH = dt.date(1899, 12, 30)
EXCEL_SERIALS = range(36526, 73051)  # 1 January 2000 to 31 December 2099

PLAIN_NUMBER = re.compile(r"-?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]+)?")
MONTH_LABEL = re.compile(r"(?:MSitAE-)?([A-Za-z]+)[- ](20[0-9]{2})", re.IGNORECASE)
REVISED_IN_NAME = re.compile(r"revised[-_ ]?([0-9]{2})[.-]?([0-9]{2})[.-]?(?:20)?([0-9]{2})(?![0-9])", re.IGNORECASE)
ORDINAL = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)\b", re.IGNORECASE)
STARTS_A_FORMULA = ("=", "+", "-", "@")
LARGEST = 1e12

DATE_FORMATS = (
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d%b%Y",
    "%d %B %Y",
    "%d %b %Y",
    "%Y%m%d",
    "%Y-%m-%d %H:%M:%S",
)


class NotThis(ValueError):
    """A cell that is not of its type; the message names the type, never the cell's value."""


def number(cell: Cell, not_available: tuple[str, ...] = ()) -> float | None:
    """A figure: empty, a lone hyphen or a `not_available` mark is missing, zero is zero, thousands may have commas."""
    if isinstance(cell, bool):
        raise NotThis("not a number")
    if isinstance(cell, (int, float)):
        value = float(cell)
    else:
        written = text(cell)
        if written in ("", "-", *not_available):
            return None
        if not isinstance(cell, str) or not PLAIN_NUMBER.fullmatch(written) or len(written) > 20:
            raise NotThis("not a plain number")
        value = float(written.replace(",", ""))
    if not -LARGEST < value < LARGEST:
        raise NotThis("not a number of this world: beyond a million million")
    return value


def date(cell: Cell, formats: tuple[str, ...] = ()) -> dt.date | None:
    """A date: a real date cell, an Excel serial, or text in one of `formats` (default: those publications use)."""
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        if float(cell).is_integer() and int(cell) in EXCEL_SERIALS:
            return EXCEL_EPOCH + dt.timedelta(days=int(cell))
        raise NotThis("not a date")
    written = ORDINAL.sub(r"\1", text(cell))
    if not written:
        return None
    for form in formats or DATE_FORMATS:
        try:
            return dt.datetime.strptime(written, form).date()
        except ValueError:
            continue
    raise NotThis("not a date")


def month(cell: Cell) -> tuple[dt.date, dt.date]:
    """First and last day of a month written as `MSitAE-APRIL-2020`."""
    match = MONTH_LABEL.fullmatch(text(cell))
    names = [name for name in MONTHS if match and len(match[1]) >= 3 and name.startswith(match[1].lower())]
    if not match or not names:
        raise NotThis("not a month such as MSitAE-APRIL-2020")
    return _whole_month(int(match[2]), MONTHS.index(names[0]) + 1)


def month_of_year(year: Cell, month: Cell) -> tuple[dt.date, dt.date]:
    """First and last day of a month written as two numbers, such as 2024 and 3."""
    if not re.fullmatch(r"20[0-9]{2}", text(year)) or not re.fullmatch(r"0?[1-9]|1[0-2]", text(month)):
        raise NotThis("not a year and a month such as 2024 and 3")
    return _whole_month(int(text(year)), int(text(month)))


def _whole_month(year: int, number: int) -> tuple[dt.date, dt.date]:
    first = dt.date(year, number, 1)
    return first, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)


def name(cell: Cell) -> str | None:
    """A name; text that a spreadsheet would run as a formula is refused, a lone hyphen is an empty cell."""
    written = text(cell)
    if written in ("", "-"):
        return None
    if written.startswith(STARTS_A_FORMULA):
        raise NotThis("text that begins with = + - or @ where a name is due: a spreadsheet would run it")
    return written


def code(cell: Cell, pattern: str) -> str | None:
    """A code of the given form, upper-cased; None when empty."""
    written = text(cell)
    if not written:
        return None
    # Upper-casing turns some foreign letters into plain ones: what was no code may not become one.
    if not written.isascii() or not re.fullmatch(pattern, written := written.upper()):
        raise NotThis("not a code of the form that this column holds")
    return written


def revised_in_name(file_name: str) -> dt.date | None:
    """The date in a published file name, day first: `April-2020-revised-260421-abc.csv`, `revised-29.11.2019`."""
    match = REVISED_IN_NAME.search(file_name)
    if not match:
        return None
    try:
        return dt.date(2000 + int(match[3]), int(match[2]), int(match[1]))
    except ValueError:
        return None


def region(cell: Cell, regions: dict[str, str]) -> str | None:
    """The Y-code of a region as a provider's own return names it or codes it; a sub-region in brackets is ignored."""
    written = text(cell)
    if not written or written == "-":
        return None
    label = re.sub(r"\s*\(.*\)?$", "", written).upper()
    label = label.removeprefix("NHS ENGLAND ").strip()
    if label in regions.values():
        return label
    try:
        return regions[label]
    except KeyError:
        raise NotThis("names no region that the regions list knows (dbt_project/seeds/region_aliases.csv)") from None
