"""Successions: a plain list of trusts, or the sheet of CCG mergers in a workbook that names their day elsewhere."""

from __future__ import annotations

import datetime as dt
import re

from pipelines.domain.feeds import Feed, Known, Reading
from pipelines.domain.reading import values
from pipelines.domain.reading.cells import Sheet, fold
from pipelines.domain.reading.tables import delimited, rows_of
from pipelines.domain.reading.workbook import XLS, XLSX, read_workbook
from pipelines.domain.refusals import refuse

MERGERS = "ccg mergers"
# The look-up of the groups as they are once the mergers hold: its sheet is named `Post-Apr 2020`.
AFTER = re.compile(r"post[- ]([a-z]+ 20[0-9]{2})")


def read(content: bytes, feed: Feed, known: Known, file_name: str) -> Reading:
    """The successions that a file holds. Raises `Refused` when one does not fit, or its day cannot be known."""
    if not content.startswith((XLSX, XLS)):
        return rows_of(delimited(content, feed), feed, file_name, {"org_kind": "trust"})
    sheets = read_workbook(content)
    mergers = [sheet for sheet in sheets if fold(sheet.name or "") == MERGERS]
    if len(mergers) != 1:
        raise refuse("no sheet `CCG Mergers`: it is not the reference file of CCGs and STPs")
    given = {"org_kind": "ccg", "effective_date": _effective(sheets)}
    return rows_of(mergers[0], feed, file_name, given)


def _effective(sheets: list[Sheet]) -> dt.date:
    """The first of the month that the sheet of the groups after the mergers is named for.

    Groups merge on the first day of a month (of April, so far), and the workbook says the day nowhere else; the name
    of the file can be changed by whoever sends it.
    """
    found = {match[1] for sheet in sheets if (match := AFTER.fullmatch(fold(sheet.name or "")))}
    try:
        [(first, _)] = {values.month(month) for month in found}
    except ValueError:
        raise refuse("the day of the mergers cannot be known: no one sheet is named as `Post-Apr 2020`") from None
    return first
