"""Small samples of feeds that the synthetic England does not generate: `samples/<feed>/*.csv`, as `new-feed` lays them.

Four key columns (period, organisation code, region, name), then figures, then one TOTAL row.
"""

from __future__ import annotations

import csv
from pathlib import Path

from data.synthetic.documents import Cell, DelimitedFile, Table, TotalRow

FOLDER = Path(__file__).parent / "samples"
KEYS = 4
CODE = 1


def sample_files() -> list[DelimitedFile]:
    """Every committed sample as a document that faults can edit."""
    return [_document(path) for path in sorted(FOLDER.glob("*/*.csv"))]


def _document(path: Path) -> DelimitedFile:
    with path.open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    rows: list[list[Cell]] = [[*line[:KEYS], *(int(cell) if cell else None for cell in line[KEYS:])] for line in lines]
    providers = [row for row in rows if row[CODE] != "TOTAL"]
    table = Table(
        columns=list(header), rows=providers, key=CODE, figures_from=KEYS, totals=[TotalRow(["TOTAL"] * KEYS)]
    )
    table.recalculate_totals()
    return DelimitedFile(path.parent.name, path.name, table)
