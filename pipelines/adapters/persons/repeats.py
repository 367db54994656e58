"""Rows of one file that may be of the same version: found while they stream by, so that the file is written once.

A version (key, number, day of submission, kind) is known by 64 bits. A row whose bits may have been seen is held back;
when the stream ends, most of those turn out to be new and follow it. What is left is settled by comparing rows.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Words = NDArray[np.uint64]

# One byte a slot; memory is taken for those that are used.
SLOT_BITS = 28
VERSION, DAY, KIND = (np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


class Repeats:
    """The versions that were seen, and the rows that are held back."""

    def __init__(self) -> None:
        self._slots = np.zeros(1 << SLOT_BITS, dtype=np.bool_)
        self._seen: list[Words] = []
        self._held: list[pl.DataFrame] = []
        self._held_words: list[Words] = []

    def new(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows whose version was certainly not seen before."""
        words = _words(rows)
        slots = words >> np.uint64(64 - SLOT_BITS)
        maybe = self._slots[slots]
        self._slots[slots] = True
        ordered = np.sort(words)
        if (ordered[1:] == ordered[:-1]).any():
            first = np.zeros(len(words), dtype=np.bool_)
            first[np.unique(words, return_index=True)[1]] = True
            maybe |= ~first
        if not maybe.any():
            self._seen.append(words)
            return rows
        self._seen.append(words[~maybe])
        self._held_words.append(words[maybe])
        self._held.append(rows.filter(pl.Series(maybe)))
        return rows.filter(pl.Series(~maybe))

    def rest(self) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
        """Of the rows held back: those that are new after all, and those that may repeat a row before them."""
        if not self._held:
            return None, None
        held, words, seen = pl.concat(self._held), np.concatenate(self._held_words), np.concatenate(self._seen)
        seen.sort()
        places = np.searchsorted(seen, words)
        repeated = seen[np.minimum(places, len(seen) - 1)] == words if len(seen) else np.zeros(len(words), np.bool_)
        first = np.zeros(len(words), dtype=np.bool_)
        first[np.unique(words, return_index=True)[1]] = True
        repeated |= ~first
        return held.filter(pl.Series(~repeated)), held.filter(pl.Series(repeated)) if repeated.any() else None


def _words(rows: pl.DataFrame) -> Words:
    """64 bits of each row's version: a hash of its key, mixed with the rest."""
    version, day, kind = (
        rows[name].to_physical().cast(pl.UInt64).to_numpy()
        for name in ("record_version", "submission_date", "is_deletion")
    )
    mixed: Words = version * VERSION + day * DAY + kind * KIND
    return mixed ^ rows["record_key"].hash().to_numpy()
