"""Small nasty stores of person-level files.

A store is drawn as numbers: of each person a list of episodes, each a number that an episode's records follow from. So
a failing store shrinks to the episodes that it needs. What a row says is for the oracle to tell: here rows are only
written, some of them wrong on purpose.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from tests.support.oracle import SuppliedFile
from tests.support.oracle.layouts import LAYOUTS
from tests.support.person_episodes import Episode
from tests.support.person_faults import Cells
from tests.support.person_window import WINDOWS, Window


@dataclass(frozen=True)
class Sent:
    """A file as it is sent, and the same as the oracle reads it."""

    name: str
    content: bytes
    file: SuppliedFile


@dataclass(frozen=True)
class SentStore:
    """What a handful of suppliers sent about a few weeks."""

    window: Window
    files: tuple[Sent, ...]

    def __repr__(self) -> str:
        """The files' rows, empty cells left out: what a failing example prints."""
        lines = [f"{self.window}"]
        for sent in self.files:
            lines.append(f"  {sent.file.feed} {sent.file.digest[:8]}")
            for row in sent.file.rows:
                lines.append(f"    {row if row is None else {name: cell for name, cell in row.items() if cell}}")
        return "\n".join(lines)


@st.composite
def stores(draw: st.DrawFn, people: int = 25, most_files: int = 4) -> SentStore:
    """A store of up to `people` persons, and so many files a feed."""
    window = draw(st.sampled_from(WINDOWS))
    episodes = st.lists(st.integers(0, 2**24), min_size=1, max_size=5)
    number = draw(st.integers(1, people))
    lives = draw(st.lists(episodes, min_size=number, max_size=number))
    return written(window, lives, draw(st.integers(0, 2**16)), most_files)


def written(window: Window, lives: list[list[int]], seed: int, most_files: int = 4) -> SentStore:
    """The store that these numbers stand for."""
    rows: list[tuple[str, Cells | None]] = []
    for number, episodes in enumerate(lives):
        for place, episode in enumerate(episodes):
            rows += Episode(window, number, f"{number}{'abcdefgh'[place]}", Random(episode)).rows
    chance = Random(seed)
    files = _files(rows, chance, most_files)
    if seed % 4 == 0:
        files.append(spoilt_file(window, chance))
    return SentStore(window, tuple(files))


def _files(rows: list[tuple[str, Cells | None]], chance: Random, most_files: int) -> list[Sent]:
    """The rows of each feed dealt out to files, in any order."""
    by_feed: defaultdict[str, list[Cells | None]] = defaultdict(list)
    for feed, cells in rows:
        by_feed[feed].append(cells)
    files = []
    for feed, found in by_feed.items():
        chance.shuffle(found)
        hands: list[list[Cells | None]] = [[] for _ in range(chance.randint(1, most_files))]
        for cells in found:
            chance.choice(hands).append(cells)
        for number, hand in enumerate(hands):
            if hand:
                files.append(sent(feed, f"{feed}_{number}.csv", hand, chance))
    chance.shuffle(files)
    return files


def spoilt_file(window: Window, chance: Random) -> Sent:
    """A file of which too many rows are wrong: what is right in it counts for nothing."""
    right = Episode(window, 0, "q", Random(1))
    right.rows.clear()
    while len(right.rows) < 8:
        right.test(window.change)
    rows = [cells for _, cells in right.rows]
    wrong: list[Cells | None] = [{**cells, "pillar": "3"} for cells in rows if cells for _ in range(21)]
    return sent("covid_tests", "spoilt.csv", [*rows, *wrong[:21]], chance)


def sent(feed: str, name: str, rows: list[Cells | None], chance: Random) -> Sent:
    """A CSV file of these rows: columns in any order, with or without byte order mark, LF or CRLF."""
    columns = [column.name for column in LAYOUTS[feed].columns]
    chance.shuffle(columns)
    content = io.StringIO(newline="")
    writer = csv.writer(content, lineterminator=chance.choice(("\n", "\r\n")))
    writer.writerow(columns)
    for row in rows:
        # A line of too few fields is no row.
        writer.writerow(["a line", "cut off"] if row is None else [row[column] for column in columns])
    data = chance.choice((b"", b"\xef\xbb\xbf")) + content.getvalue().encode()
    return Sent(name, data, SuppliedFile(hashlib.sha256(data).hexdigest(), feed, tuple(rows)))
