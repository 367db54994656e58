"""Small samples: `samples/<feed>/*.csv`.

Of feeds that the synthetic England does not generate, as `new-feed` lays them: four key columns (period, organisation
code, region, name), then figures, then one TOTAL row. Of person-level feeds: forty records without an error, from which
faults are made; England itself is full of people.
"""

from __future__ import annotations

import csv
from pathlib import Path

from data.synthetic.documents import Cell, DelimitedFile, Table, TotalRow

FOLDER = Path(__file__).parent / "samples"
KEYS = 4
CODE = 1
# What the header of a person-level feed begins with, and what the column of the record's own number ends with.
OF_PERSONS = ["submission_date", "record_version", "update_type"]
OWN_NUMBER = ("_identifier", "_number")


def sample_files() -> list[DelimitedFile]:
    """Every committed sample of figures as a document that faults can edit."""
    return [_of_figures(path, *told) for path, told in _read() if told[0][:3] != OF_PERSONS]


def person_samples() -> list[DelimitedFile]:
    """Every committed sample of a person-level feed as a document that faults can edit; rows go by their own number."""
    return [_of_persons(path, *told) for path, told in _read() if told[0][:3] == OF_PERSONS]


def _read() -> list[tuple[Path, tuple[list[str], list[list[str]]]]]:
    found = []
    for path in sorted(FOLDER.glob("*/*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            header, *lines = csv.reader(file)
        found.append((path, (header, lines)))
    return found


def _of_persons(path: Path, header: list[str], lines: list[list[str]]) -> DelimitedFile:
    key = next(place for place, name in enumerate(header) if name.endswith(OWN_NUMBER))
    rows: list[list[Cell]] = [list(line) for line in lines]
    return DelimitedFile(path.parent.name, path.name, Table(columns=list(header), rows=rows, key=key))


def _of_figures(path: Path, header: list[str], lines: list[list[str]]) -> DelimitedFile:
    rows: list[list[Cell]] = [[*line[:KEYS], *(int(cell) if cell else None for cell in line[KEYS:])] for line in lines]
    providers = [row for row in rows if row[CODE] != "TOTAL"]
    table = Table(
        columns=list(header), rows=providers, key=CODE, figures_from=KEYS, totals=[TotalRow(["TOTAL"] * KEYS)]
    )
    table.recalculate_totals()
    return DelimitedFile(path.parent.name, path.name, table)
