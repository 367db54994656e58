"""The records that a benchmark works on: the synthetic England at person level, made once for each size and kept."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.settings import PROJECT_ROOT

Files = dict[str, list[Path]]
"""CSV files by feed."""

PEOPLE = {"start-up": 10_000, "thousandth": 56_000, "hundredth": 560_000, "tenth": 5_600_000, "national": 56_000_000}
DAYS = {"start-up": 40}
YEAR = 365
TEN_TIMES_LESS = {"national": "tenth", "tenth": "hundredth", "hundredth": "thousandth"}
LISTS = ("ods_trusts", "ods_sites", "ods_succession")


@dataclass(frozen=True)
class People:
    """A year of records of so many people: what had been sent by its last day, and what the night after brought."""

    scale: str
    folder: Path
    lists: Files

    @property
    def back_files(self) -> Files:
        """Files of the year, after the lists of organisations that they name."""
        return {**self.lists, **self._files("back_file*.csv")}

    @property
    def night(self) -> Files:
        """Files of the night after."""
        return self._files("daily_*.csv")

    @property
    def all_files(self) -> Files:
        """Both."""
        night = self.night
        return {feed: [*paths, *night.get(feed, [])] for feed, paths in self.back_files.items()}

    @property
    def csv(self) -> list[Path]:
        """The files of persons, which S is measured on."""
        return [path for feed, paths in self.all_files.items() if feed not in self.lists for path in paths]

    @property
    def size(self) -> int:
        """Bytes of them."""
        return sum(path.stat().st_size for path in self.csv)

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each feed, those too that must be rejected."""
        rows: dict[str, int] = {}
        for file in json.loads((self.folder / "manifest.json").read_text())["files"]:
            rows[file["feed"]] = rows.get(file["feed"], 0) + file["rows"]
        return rows

    def _files(self, pattern: str) -> Files:
        feeds = sorted(path for path in self.folder.iterdir() if path.is_dir())
        return {feed.name: found for feed in feeds if (found := sorted(feed.glob(pattern)))}

    def readable(self, feeds: tuple[str, ...]) -> Path:
        """A folder with the same files of these feeds, less lines that are no rows: the peers stop at those."""
        target = self.folder.with_name(f"{self.folder.name}.readable")
        shutil.copytree(self.lists["ods_succession"][0].parent, target / "ods_succession", dirs_exist_ok=True)
        for feed in feeds:
            (target / feed).mkdir(parents=True, exist_ok=True)
            for path in self.all_files[feed]:
                if not (target / feed / path.name).exists():
                    _copy_rows(path, target / feed / path.name)
        return target


def made(work: Path, scale: str) -> People:
    """The people of that size, made where they are not there yet."""
    folder = work / "data" / scale
    if not (folder / "manifest.json").exists():
        command = [sys.executable, "-m", "data.synthetic.persons", str(folder), "--nights", "1"]
        command += ["--people", str(PEOPLE[scale]), "--days", str(DAYS.get(scale, YEAR))]
        subprocess.run(command, check=True, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL)
    return People(scale, folder, _lists(work))


def _lists(work: Path) -> Files:
    """The lists of organisations, so that regions, ICBs and successors are worked out too."""
    folder = work / "data" / "lists"
    if not folder.exists():
        from data.synthetic import write_supplied

        write_supplied(folder)
    return {feed: sorted(path for path in (folder / feed).iterdir() if path.is_file()) for feed in LISTS}


def _copy_rows(source: Path, target: Path) -> None:
    with source.open(encoding="utf-8-sig") as file:
        columns = dict.fromkeys(file.readline().strip().split(","), "VARCHAR")
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT * FROM read_csv($source, header = true, auto_detect = false, delim = ',', quote = '\"', "
            f"escape = '\"', columns = $columns, ignore_errors = true)) TO '{target}' (FORMAT csv, HEADER)",
            {"source": str(source), "columns": columns},
        )
