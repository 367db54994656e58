"""`python -m data.synthetic.persons DIR --people N`: the person-level feeds of so many people, as CSV."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from data.synthetic.persons.write import PEOPLE, Size, write_people


def main() -> None:
    """Write, and say what was written."""
    parser = argparse.ArgumentParser(prog="python -m data.synthetic.persons", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--people", type=int, default=PEOPLE, help="10 thousand to 60 million")
    parser.add_argument("--first", type=dt.date.fromisoformat, default=None, help="first day of events")
    parser.add_argument("--days", type=int, default=None, help="days up to the last of the back-file (default: all)")
    parser.add_argument("--last", type=dt.date.fromisoformat, default=None, help="last day of the back-file")
    parser.add_argument("--nights", type=int, default=3, help="daily files after it")
    parser.add_argument("--seed", type=int, default=2020)
    parser.add_argument("--varied", action="store_true", help="gzip, zstd and Parquet for some, as suppliers do")
    parser.add_argument("--truth", action="store_true", help="the marts as they should be; up to a million people")
    asked = parser.parse_args()
    size = Size.of_days(
        asked.people,
        asked.first,
        asked.last,
        asked.days,
        nights=asked.nights,
        seed=asked.seed,
        is_varied=asked.varied,
        has_truth=asked.truth,
    )
    for written in write_people(asked.directory, size):
        print(f"{written.rows:>12,}  {written.name}")


if __name__ == "__main__":
    main()
