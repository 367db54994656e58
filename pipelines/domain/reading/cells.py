"""A publication as a grid of cells, whatever file format it came in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | float | int | bool | dt.date | dt.datetime | dt.time | dt.timedelta | None


@dataclass(frozen=True)
class Line:
    """One row of a sheet: its 1-based number in the file and its cells from column A."""

    number: int
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Sheet:
    """A worksheet, or a delimited file (then `name` is None)."""

    name: str | None
    lines: list[Line]


def letter(index: int) -> str:
    """The spreadsheet letter of a 0-based column index: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def is_blank(cell: Cell) -> bool:
    """Empty, or nothing but white space."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def text(cell: Cell) -> str:
    """The cell as one line of text: white space (non-breaking too) collapsed, whole numbers without a fraction."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return " ".join(str(cell).split())


def fold(label: str) -> str:
    """A label as it is compared: white space collapsed, case ignored."""
    return " ".join(label.split()).casefold()
