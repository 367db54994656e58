"""S, the unit: DuckDB's typed scan of CSV files, every column, in a process of its own.

    python -m benchmarks.scan FILE...

Nothing that is to read these files and type them can cost less. Counting a column makes DuckDB parse it.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator

import duckdb

CONFIG = {"threads": 2, "memory_limit": "4GB", "preserve_insertion_order": False}


def type_of(column: str) -> str:
    """The type a column is declared with; codes and numbers that identify are text."""
    if column.endswith("_date"):
        return "DATE"
    if column.endswith("_time"):
        return "TIMETZ"  # a time may say how far it is from UTC
    return "INTEGER" if column == "record_version" else "VARCHAR"


def scanned(files: list[str]) -> Iterator[tuple[str, int]]:
    """Each group of files of one header, scanned; gives the first file and the rows."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for path in files:
        with open(path, encoding="utf-8-sig", newline="") as file:
            groups.setdefault(tuple(next(csv.reader(file))), []).append(path)
    with duckdb.connect(config=CONFIG) as connection:
        for header, paths in groups.items():
            counts = ", ".join(f"count({column})" for column in header)
            found = connection.execute(
                f"SELECT count(*), {counts} FROM read_csv($files, header = true, auto_detect = false, delim = ',', "
                "quote = '\"', escape = '\"', columns = $columns, ignore_errors = true)",
                {"files": paths, "columns": {column: type_of(column) for column in header}},
            ).fetchone()
            yield paths[0], int(found[0]) if found else 0


if __name__ == "__main__":
    json.dump(dict(scanned(sys.argv[1:])), sys.stdout)
