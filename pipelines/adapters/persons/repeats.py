"""Rows of one file that may be of the same version: found while they stream by, so that the file is written once.

A version (key, number, day of submission, kind) is known by 64 bits. A row whose bits may have been seen is held back,
and so are the rows before it that have not gone on yet: copies mostly stand together, and are compared here. When the
stream ends, most of what was held turns out to be new and follows it. What repeats a row that had gone on is left over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

Words = NDArray[np.uint64]

VERSION_NAMES = ("record_key", "record_version", "submission_date", "is_deletion")
# One byte a slot; there are at least so many slots for each version seen, up to the most.
FEWEST_SLOT_BITS, MOST_SLOT_BITS, SLOTS_EACH = 20, 28, 16
SEEN, CONTESTED = np.uint8(1), np.uint8(3)
# So many frames wait before they go on.
WAITING = 2
VERSION, DAY, KIND = (np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


@dataclass(frozen=True)
class Rest:
    """What was left when the stream ended.

    `new` rows are accepted; so many were `conflicting`, rows of one version that differ, and are none; `undecided` are
    those whose version may have gone on before.
    """

    new: pl.DataFrame | None
    conflicting: int
    undecided: pl.DataFrame | None


class Repeats:
    """The versions that were seen, the rows that wait, and those that are held back."""

    def __init__(self) -> None:
        self._bits = FEWEST_SLOT_BITS
        self._slots = np.zeros(1 << self._bits, dtype=np.uint8)
        self._count = 0
        self._waiting: deque[tuple[pl.DataFrame, Words]] = deque()
        self._gone: list[Words] = []
        # As Arrow, which copies what is held: a filtered frame keeps the texts of all the rows that it was made of.
        self._held: list[pa.Table] = []
        self._held_words: list[Words] = []

    def new(self, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Take rows, and give those before them of which none like them came since."""
        words = _words(rows)
        self._count += len(words)
        if self._bits < MOST_SLOT_BITS and self._count * SLOTS_EACH > len(self._slots):
            self._grow()
        slots = self._slots_of(words)
        maybe = self._slots[slots] != 0
        ordered = np.sort(words)
        if (ordered[1:] == ordered[:-1]).any():
            first = np.zeros(len(words), dtype=np.bool_)
            first[np.unique(words, return_index=True)[1]] = True
            maybe |= ~first
        self._slots[slots] |= SEEN
        if maybe.any():
            self._slots[slots[maybe]] = CONTESTED
            self._hold(rows, words, maybe)
            rows, words = rows.filter(pl.Series(~maybe)), words[~maybe]
        self._waiting.append((rows, words))
        if len(self._waiting) > WAITING:
            yield self._oldest()

    def waiting(self) -> Iterator[pl.DataFrame]:
        """What still waits when the stream has ended."""
        while self._waiting:
            yield self._oldest()

    def rest(self) -> Rest:
        """What becomes of the rows that were held back."""
        if not self._held:
            return Rest(None, 0, None)
        held = pl.DataFrame(pl.from_arrow(pa.concat_tables(self._held)))
        words, gone = np.concatenate(self._held_words), np.concatenate(self._gone)
        gone.sort()
        places = np.searchsorted(gone, words)
        repeats = gone[np.minimum(places, len(gone) - 1)] == words if len(gone) else np.zeros(len(words), np.bool_)
        undecided = held.filter(pl.Series(repeats)) if repeats.any() else None
        new, conflicting = _settled(held.filter(pl.Series(~repeats)))
        return Rest(new, conflicting, undecided)

    def _oldest(self) -> pl.DataFrame:
        """The rows that have waited longest, without those of which one like them came."""
        rows, words = self._waiting.popleft()
        contested = self._slots[self._slots_of(words)] == CONTESTED
        if contested.any():
            self._hold(rows, words, contested)
            rows, words = rows.filter(pl.Series(~contested)), words[~contested]
        self._gone.append(words)
        return rows

    def _hold(self, rows: pl.DataFrame, words: Words, which: NDArray[np.bool_]) -> None:
        self._held.append(rows.filter(pl.Series(which)).to_arrow())
        self._held_words.append(words[which])

    def _slots_of(self, words: Words) -> Words:
        return words >> np.uint64(64 - self._bits)

    def _grow(self) -> None:
        """Give every version room: what shares a slot with another is held back, which costs more than the slot."""
        while self._bits < MOST_SLOT_BITS and self._count * SLOTS_EACH > 1 << self._bits:
            self._bits += 1
        self._slots = np.zeros(1 << self._bits, dtype=np.uint8)
        for words in [*self._gone, *(words for _, words in self._waiting)]:
            self._slots[self._slots_of(words)] = SEEN
        for words in self._held_words:
            self._slots[self._slots_of(words)] = CONTESTED


def _settled(rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """One of the equal copies of each version, and how many rows are of versions whose rows differ."""
    repeated = pl.struct(VERSION_NAMES).is_duplicated()
    alone, copies = rows.filter(~repeated), rows.filter(repeated)
    if copies.is_empty():
        return alone, 0
    contents = copies.unique()
    one = contents.filter(pl.struct(VERSION_NAMES).is_unique())
    agreeing = copies.join(one.select(VERSION_NAMES), on=VERSION_NAMES, how="semi")
    return pl.concat([alone, one]), copies.height - agreeing.height


def _words(rows: pl.DataFrame) -> Words:
    """64 bits of each row's version: a hash of its key, mixed with the rest."""
    version, day, kind = (
        rows[name].to_physical().cast(pl.UInt64).to_numpy()
        for name in ("record_version", "submission_date", "is_deletion")
    )
    mixed: Words = version * VERSION + day * DAY + kind * KIND
    return mixed ^ rows["record_key"].hash().to_numpy()
