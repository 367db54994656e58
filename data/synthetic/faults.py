"""Deliberate faults: each YAML file of the folder `faults/` edits one good file so that it breaks one rule.

The name of a YAML file is the rule that it breaks. Its edits are the functions below, by name; `row` is an
organisation code, `column` a header, a day, or the position (from 1) in a list without a header, `sheet` a
sheet of a workbook or `all`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from data.synthetic.documents import Cell, Document, Table
from data.synthetic.layouts.pages import Workbook

FOLDER = Path(__file__).parent / "faults"
ALL_SHEETS = "all"
# The one edit of what stands above a table: label and value, as `Period:`.
SET_PREAMBLE = "set_preamble"

Tables = dict[str, Table]


@dataclass(frozen=True)
class Fault:
    """One fault: the good file that it starts from, its edits, and what a gate must say of the result."""

    rule: str
    feed: str
    base: str
    description: str
    edits: tuple[dict[str, Any], ...]
    verdict: str

    @property
    def file_name(self) -> str:
        """Name of the faulty file."""
        return f"{self.rule}{Path(self.base).suffix}"


def load_faults() -> list[Fault]:
    """Every fault, by rule. Raises `ValueError` when a file expects another rule than its name says."""
    faults = []
    for path in sorted(FOLDER.glob("*.yaml")):
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        if told["expect"]["rule"] != path.stem:
            raise ValueError(f"{path.name}: expects another rule than the one that it is named for")
        faults.append(
            Fault(
                path.stem,
                told["feed"],
                told["base"],
                told["description"],
                tuple(told["edits"]),
                told["expect"]["verdict"],
            )
        )
    return faults


def faulty_bytes(fault: Fault, documents: list[Document]) -> bytes:
    """The bytes of the faulty file. Raises `ValueError` naming the fault whose base or edit does not fit."""
    good = [document for document in documents if (document.feed, document.name) == (fault.feed, fault.base)]
    if len(good) != 1:
        raise ValueError(f"{fault.rule}: no good file {fault.feed}/{fault.base}")
    document = good[0].copy()
    tables = document.tables()
    for edit in fault.edits:
        told = dict(edit)
        operation, sheet = told.pop("op"), told.pop("sheet", "")
        try:
            if operation == SET_PREAMBLE and isinstance(document, Workbook):
                document.set_preamble(None if sheet == ALL_SHEETS else sheet, **told)
                continue
            for name in tables if sheet == ALL_SHEETS else [sheet]:
                OPERATIONS[operation](tables[name], tables, **told)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{fault.rule}: {operation} on {sheet or fault.base}: {error!r}") from error
    return document.render()


def set_cell(table: Table, tables: Tables, row: str, column: Cell, value: Cell) -> None:
    """Put a value into one cell."""
    _row(table, row)[_column(table, column)] = value


def set_above(table: Table, tables: Tables, row: str, column: Cell, of: Cell, of_sheet: str = "") -> None:
    """Put one more into a cell than stands in another of the same organisation: a part above its whole."""
    other = tables[of_sheet] if of_sheet else table
    whole = _row(other, row)[_column(other, of)]
    if not isinstance(whole, int | float):
        raise ValueError(f"{row} reports nothing under {of}")
    _row(table, row)[_column(table, column)] = whole + 1


def set_every(table: Table, tables: Tables, column: Cell, value: Cell) -> None:
    """Put the same value into a column of every row."""
    for cells in table.rows:
        cells[_column(table, column)] = value


def set_header(table: Table, tables: Tables, column: Cell, value: Cell) -> None:
    """Call a column something else."""
    table.columns[_column(table, column)] = value


def scale_figures(table: Table, tables: Tables, by: int) -> None:
    """Multiply every figure of every row."""
    first = _figures_from(table)
    for cells in table.rows:
        cells[first:] = [cell * by if isinstance(cell, int | float) else cell for cell in cells[first:]]


def drop_where(table: Table, tables: Tables, column: Cell, value: Cell) -> None:
    """Take out the rows that hold that value."""
    table.rows = [cells for cells in table.rows if cells[_column(table, column)] != value]


def drop_longer_codes(table: Table, tables: Tables, than: int) -> None:
    """Take out the rows whose code has more characters: sites and practices, but no trust."""
    table.rows = [cells for cells in table.rows if len(str(cells[table.key])) <= than]


def drop_every_other_row(table: Table, tables: Tables) -> None:
    """Take out the first row, the third, and so on."""
    table.rows = table.rows[1::2]


def duplicate_row(table: Table, tables: Tables, row: str) -> None:
    """Repeat an organisation's row as the last one."""
    table.rows.append(list(_row(table, row)))


def add_rows(table: Table, tables: Tables, like: str, codes: list[str]) -> None:
    """Add a copy of an organisation's row for each new code."""
    for code in codes:
        cells = list(_row(table, like))
        cells[table.key] = code
        table.rows.append(cells)


def add_to_total(table: Table, tables: Tables, total: str, column: Cell, value: int) -> None:
    """Change one cell of a published total and leave its rows alone."""
    found = next(candidate for candidate in table.totals if total in candidate.label)
    position = _column(table, column) - _figures_from(table)
    found.values[position] = (found.values[position] or 0) + value


def scale_row(table: Table, tables: Tables, row: str, by: float) -> None:
    """Multiply every figure of one row."""
    cells = _row(table, row)
    first = _figures_from(table)
    cells[first:] = [cell * by if isinstance(cell, int | float) else cell for cell in cells[first:]]


def recalculate_wholes(table: Table, tables: Tables) -> None:
    """Make the columns that are sums of other columns agree with the edited ones."""
    table.recalculate_wholes()


def recalculate_totals(table: Table, tables: Tables) -> None:
    """Make the published totals agree with the edited rows."""
    table.recalculate_totals()


OPERATIONS: dict[str, Callable[..., None]] = {
    operation.__name__: operation
    for operation in (
        set_cell,
        set_above,
        set_every,
        set_header,
        scale_figures,
        drop_where,
        drop_longer_codes,
        drop_every_other_row,
        duplicate_row,
        add_rows,
        add_to_total,
        scale_row,
        recalculate_wholes,
        recalculate_totals,
    )
}


def _row(table: Table, code: str) -> list[Cell]:
    rows = [cells for cells in table.rows if cells[table.key] == code]
    if not rows:
        raise ValueError(f"no row of {code}")
    return rows[0]


def _column(table: Table, column: Cell) -> int:
    if column not in table.columns:
        raise ValueError(f"no column {column}")
    return table.columns.index(column)


def _figures_from(table: Table) -> int:
    if table.figures_from is None:
        raise ValueError("a list has no figures")
    return table.figures_from
