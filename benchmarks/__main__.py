"""`make bench`: measure, print the tables, keep the JSON.

python -m benchmarks [--scale tenth] [--work FOLDER] [--without peers growth ...]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from benchmarks import data
from benchmarks.measure import Failed
from benchmarks.workloads import PARTS, RESULTS, Run

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run what the arguments say; returns 0 when everything could be measured and agreed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scale", choices=list(data.PEOPLE), default="tenth", help="of a national year")
    parser.add_argument(
        "--work", type=Path, default=HERE / "work", help="data and stores; data are kept for the next run"
    )
    parser.add_argument("--without", choices=PARTS, nargs="*", default=[], help="leave these out")
    asked = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    parts = tuple(part for part in PARTS if part not in asked.without)
    run = Run(asked.scale, asked.work.resolve(), parts, lambda step: console.print(f"[dim]{step}[/]"))
    try:
        results = run.all()
    except Failed as failed:
        console.print(f"[red]bench:[/] {failed}")
        return 1
    results.show(console)
    console.print(f"written to {results.write(RESULTS)}")
    return 1 if any(count for tables in results.equal.values() for count in tables.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
