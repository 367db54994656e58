"""Write the people of the synthetic England to a folder: back-files, daily files, what is known of both.

    <feed>/back_file...   all that had been submitted by the last day
    <feed>/daily_DATE     what was submitted on each night after it
    truth/                what a datastore should know after reading all of them (see `truth`)
    manifest.json         every file with its rows, its SHA-256 and the rows that must be refused, by reason

The same seed, size and days give the same bytes, whatever the size of the chunks.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from data.synthetic.england import England, build_england
from data.synthetic.persons.clock import date_of, day_number
from data.synthetic.persons.events import World
from data.synthetic.persons.fates import Fate
from data.synthetic.persons.feeds import Batch, Feeds, Stream
from data.synthetic.persons.layout import COLUMNS, Layout
from data.synthetic.persons.mirror import Mirror
from data.synthetic.persons.nights import night_attendances, night_spells
from data.synthetic.persons.people import People
from data.synthetic.persons.places import build_places
from data.synthetic.persons.registers import opt_outs, registrations, residencies
from data.synthetic.persons.truth import Truth
from data.synthetic.publication import Publication

FIRST = dt.date(2019, 12, 1)
LAST = dt.date(2021, 1, 28)
PEOPLE = 10_000
CHUNK = 60_000
PLAIN, GZIP, ZSTD, PARQUET = "csv", "csv.gz", "csv.zst", "parquet"
# Suppliers differ in how they pack a back-file.
FORMS = {
    "ecds_attendances": GZIP,
    "apc_spells": ZSTD,
    "covid_tests": PARQUET,
    "critical_care_periods": PLAIN,
    "gp_registrations": ZSTD,
    "care_home_residents": PLAIN,
    "data_opt_outs": PLAIN,
}
# Feeds in which hardly anything happens on a day: among fewer people than this they have no daily files.
RARE = ("critical_care_periods", "gp_registrations", "care_home_residents", "data_opt_outs")
DAILY_FROM = 200_000


@dataclass(frozen=True)
class Size:
    """How much to make: people, from the first day of events to the last of the back-file, and the nights after it."""

    people: int = PEOPLE
    first: dt.date = FIRST
    last: dt.date = LAST
    nights: int = 3
    seed: int = 2020
    is_varied: bool = True
    # With more people than numbers: how many contacts are of people who have one.
    known_share: float = 0.67
    chunk: int = CHUNK
    # The marts as they should be; only for sizes that fit in memory.
    has_truth: bool = True

    @classmethod
    def of_days(cls, people: int, first: dt.date | None, last: dt.date | None, days: int | None, **others: Any) -> Size:
        """From `first`, or of so many days, to `last`; what is None is as in the synthetic England.

        Raises ValueError when the first day is after the last.
        """
        end = last or LAST
        start = first or (end - dt.timedelta(days=days - 1) if days else FIRST)
        if start > end:
            raise ValueError(f"the first day, {start}, is after the last, {end}")
        return cls(people, start, end, **others)


@dataclass
class Written:
    """One file as it was written."""

    feed: str
    name: str
    rows: int = 0
    sha256: str = ""
    horizon: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    planted: Counter[str] = field(default_factory=Counter)


class _File:
    """A file that rows are added to; broken rows stand at its end, since a reader must not lose those after them."""

    def __init__(self, directory: Path, feed: str, stem: str, form: str) -> None:
        self.told = Written(feed, f"{feed}/{stem}.{form}")
        self.path = directory / self.told.name
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._form = form
        self._broken: list[bytes] = []
        self._frames: list[pl.DataFrame] = []
        self._raw = self.path.open("wb")
        self._out: Any = self._raw
        if form == GZIP:
            self._out = gzip.GzipFile("", "wb", 6, self._raw, mtime=0)
        elif form == ZSTD:
            self._out = pa.CompressedOutputStream(pa.PythonFile(self._raw, "w"), "zstd")
        if form != PARQUET:
            self._out.write(",".join(COLUMNS[feed]).encode() + b"\n")

    def add(self, batch: Batch) -> None:
        """Rows in their order."""
        told = self.told
        keeps = batch.text
        if self._form == PARQUET:
            self._frames.append(keeps)
        elif self._form == PLAIN:
            keeps.write_csv(self._out, include_header=False)
        else:
            self._out.write(keeps.write_csv(include_header=False).encode())
        self._broken += batch.broken
        told.rows += len(keeps)
        reasons = batch.reasons
        refused = np.flatnonzero(reasons != "")
        accepted = batch.sent.day[reasons == ""]
        told.horizon = max(told.horizon, int(accepted.max(initial=0)))
        told.rejected.update(reasons[refused].tolist())
        planted = np.flatnonzero((batch.sent.fate != Fate.PLAIN) | batch.sent.is_deletion)
        for fate, deletion in zip(
            batch.sent.fate[planted].tolist(), batch.sent.is_deletion[planted].tolist(), strict=True
        ):
            told.planted["deletion" if deletion else Fate(fate).name.lower()] += 1

    def close(self) -> Written:
        """Write what is left, and tell of the file."""
        told = self.told
        if self._form == PARQUET:
            frame = (
                pl.concat(self._frames)
                if self._frames
                else pl.DataFrame(schema=dict.fromkeys(COLUMNS[told.feed], pl.String))
            )
            pq.write_table(frame.to_arrow(), self._raw, compression="zstd")
            told.rejected.pop("row_unparsable", None)
            told.planted.pop("broken", None)
        else:
            self._out.write(b"".join(self._broken))
            told.rows += len(self._broken)
        if self._out is not self._raw:
            self._out.close()
        if not self._raw.closed:
            self._raw.close()
        with self.path.open("rb") as written:
            told.sha256 = hashlib.file_digest(written, "sha256").hexdigest()
        return told


class _Folder:
    """The files of one making: one back-file a feed, and one file a feed and night."""

    def __init__(self, directory: Path, size: Size) -> None:
        self.directory, self.size = directory, size
        self._files: dict[tuple[str, str], _File] = {}

    def put(self, stream: Stream) -> None:
        """Rows of a stream to every file in which they are sent."""
        size, feed = self.size, stream.form.feed
        last = day_number(size.last)
        if feed in RARE and size.people < DAILY_FROM:
            self._file(feed, "back_file", FORMS[feed] if size.is_varied else PLAIN).add(
                stream.until(last + size.nights)
            )
            return
        self._file(feed, "back_file", FORMS[feed] if size.is_varied else PLAIN).add(stream.until(last))
        for night in range(1, size.nights + 1):
            day = date_of(last + night)
            form = GZIP if size.is_varied and night == 2 else PLAIN
            batch = stream.on(last + night)
            if len(batch.sent.row):
                self._file(feed, f"daily_{day.isoformat()}", form).add(batch)

    def _file(self, feed: str, stem: str, form: str) -> _File:
        if (feed, stem) not in self._files:
            self._files[feed, stem] = _File(self.directory, feed, stem, form)
        return self._files[feed, stem]

    def close(self) -> list[Written]:
        """All files as written, by name."""
        return [file.close() for _, file in sorted(self._files.items())]


@dataclass(frozen=True)
class Making:
    """Everything that makes the rows of one size."""

    size: Size
    england: England
    people: People
    world: World
    layout: Layout
    feeds: Feeds
    mirror: Mirror

    def streams(self) -> Iterator[Stream]:
        """Every stream, chunk by chunk."""
        size, world = self.size, self.world
        for start, end in world.chunks(size.chunk):
            yield from self.feeds.of(world.make(start, end, self.mirror)).values()
        yield from self.feeds.mirrored(self.mirror.attendances, self.mirror.spells)
        days = world.first, world.last
        yield from self.feeds.mirrored(night_attendances(self.people, *days), night_spells(self.people, *days))
        tests = int(world.tests_begin[-1])
        for start in range(0, tests, size.chunk):
            yield self.feeds.tests(world.community_tests(start, min(tests, start + size.chunk)))
        yield from self.registers()

    def registers(self) -> Iterator[Stream]:
        """The lists of people."""
        first, last = day_number(self.size.first), day_number(self.size.last) + self.size.nights
        people, layout, numbered = self.people, self.layout, self.people.numbered
        for start in range(0, numbered, self.size.chunk):
            end = min(numbered, start + self.size.chunk)
            yield self.feeds.register(
                "gp_registrations", registrations(people, start, end, first, last), layout.registrations
            )
            yield self.feeds.register(
                "care_home_residents", residencies(people, start, end, first, last), layout.residencies
            )
            yield self.feeds.register("data_opt_outs", opt_outs(people, start, end, first), layout.opt_outs)


def making(size: Size, told: Mapping[str, list[Publication]] | None = None) -> Making:
    """What makes the rows of that size; `told` is what the aggregate feeds publish, made anew where it is not given."""
    first, last = day_number(size.first), day_number(size.last)
    england = build_england(size.seed)
    places = build_places(england)
    people = People(size.seed, size.people, first - 400, places)
    world = World(people, first, last + size.nights, size.known_share)
    layout = Layout(people)
    return Making(
        size, england, people, world, layout, Feeds(layout, last, first), Mirror(england, people, first, last, told)
    )


def write_people(directory: Path, size: Size, told: Mapping[str, list[Publication]] | None = None) -> list[Written]:
    """Write every file below `directory`, and the manifest; returns what was written. `told` as in `making`."""
    folder, made = _Folder(directory, size), making(size, told)
    truth = Truth(made.england, made.layout, made.world.last) if size.has_truth else None
    for stream in made.streams():
        folder.put(stream)
        if truth:
            truth.add(stream)
    written = folder.close()
    if truth:
        horizons = {feed: max((one.horizon for one in written if one.feed == feed), default=0) for feed in COLUMNS}
        tables = truth.tables(horizons) | {"rejected_rows": _rejected(written)}
        (directory / "truth" / "persons").mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            table.write_csv(directory / "truth" / "persons" / f"{name}.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    (directory / "manifest.json").write_text(json.dumps(manifest(size, written), indent=1) + "\n")
    return written


def _rejected(written: list[Written]) -> pl.DataFrame:
    """Mart `rejected_rows`."""
    rows = [
        (one.feed, one.sha256, one.name, reason, count)
        for one in written
        for reason, count in sorted(one.rejected.items())
    ]
    return pl.DataFrame(rows, schema=["feed", "batch", "file", "reason_code", "rejected_rows"], orient="row")


def manifest(size: Size, written: list[Written]) -> dict[str, Any]:
    """What was made, file by file."""
    return {
        "seed": size.seed,
        "people": size.people,
        "first": size.first.isoformat(),
        "last": size.last.isoformat(),
        "horizon": date_of(day_number(size.last) + size.nights).isoformat(),
        "files": [
            {
                "feed": one.feed,
                "name": one.name,
                "rows": one.rows,
                "sha256": one.sha256,
                "rejected_rows": dict(sorted(one.rejected.items())),
                "planted": dict(sorted(one.planted.items())),
            }
            for one in written
        ],
    }
