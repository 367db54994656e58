"""What a worksheet says of itself above its table: `Title:`, `Period:`, `Published:` and the like."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

from pipelines.domain.reading import periods, values
from pipelines.domain.reading.cells import Cell, Line, Sheet, fold, is_blank, text
from pipelines.domain.reading.periods import Period
from pipelines.domain.refusals import refuse

# What stands beside `Revised:` when nothing was.
NONE_YET = {"-", "n/a", "none"}


def beside(lines: Sequence[Line], label: str) -> list[Cell]:
    """The filled cells right of a label such as `Summary:`."""
    return [
        cell
        for line in lines
        for name, cell in pairwise(line.cells)
        if isinstance(name, str) and fold(name).rstrip(":") == label and not is_blank(cell)
    ]


def title_and_summary(lines: Sequence[Line]) -> set[str]:
    """The title and the summary, folded."""
    return {fold(text(cell)) for label in ("title", "summary") for cell in beside(lines, label)}


def published_on(sheet: Sheet, above: Sequence[Line]) -> dt.date | None:
    """The publication date: `Revised:` where it is filled, else `Published:`. Raises `Refused` when it is no date."""
    for label in ("revised", "published"):
        for cell in beside(above, label):
            if fold(text(cell)) in NONE_YET:
                continue
            try:
                return values.date(cell)
            except values.NotThis:
                raise refuse(f"{label.title()}: not a date", sheet=sheet.name) from None
    return None


def period(sheet: Sheet, above: Sequence[Line]) -> Period:
    """The period that the sheet states. Raises `Refused` when there is none, or it is no period."""
    for cell in beside(above, "period"):
        try:
            return periods.stated(cell)
        except values.NotThis as error:
            raise refuse(f"Period: {error}", sheet=sheet.name) from None
    raise refuse("no Period: above the table, which dates its figures", sheet=sheet.name)
