"""Randomness by counting: a draw is a hash of the seed, what it is for, and the number of the record.

So a record is the same whoever makes it, in which order and beside which others. All of it is integer arithmetic: the
same seed gives the same values on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Bools = NDArray[np.bool_]

STEPS = 4096
_STEP_BITS = np.uint64(52)
_REST_MASK = np.uint64((1 << 20) - 1)
_HALF = np.uint64(32)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Chance:
    """Draws for one stream of records; `purpose` names what is drawn, so that no two draws are the same."""

    def __init__(self, seed: int, stream: str) -> None:
        self._stream = f"{seed}:{stream}"
        self._keys: dict[str, np.uint64] = {}

    def bits(self, purpose: str, ids: Ints) -> Words:
        """64 bits for each record (the finaliser of splitmix64)."""
        key = self._keys.get(purpose)
        if key is None:
            digest = hashlib.blake2b(f"{self._stream}:{purpose}".encode(), digest_size=8).digest()
            key = self._keys[purpose] = np.uint64(int.from_bytes(digest, "little"))
        drawn = ids.astype(np.uint64)
        drawn *= _GOLDEN
        drawn += key
        drawn ^= drawn >> np.uint64(30)
        drawn *= np.uint64(0xBF58476D1CE4E5B9)
        drawn ^= drawn >> np.uint64(27)
        drawn *= np.uint64(0x94D049BB133111EB)
        drawn ^= drawn >> np.uint64(31)
        return drawn

    def below(self, purpose: str, ids: Ints, limit: int | Ints) -> Ints:
        """A whole number from 0 to below the limit."""
        high = self.bits(purpose, ids) >> _HALF
        return ((high * np.asarray(limit, dtype=np.uint64)) >> _HALF).astype(np.int64)

    def happens(self, purpose: str, ids: Ints, share: Any) -> Bools:
        """True for that share of the records (one number, or one a record)."""
        line = (np.asarray(share, dtype=np.float64) * 4294967296.0).astype(np.uint64)
        return (self.bits(purpose, ids) >> _HALF) < line

    def choose(self, purpose: str, ids: Ints, table: Ints, row: Ints | None = None) -> Ints:
        """An entry of a table made by `choices`; of one of its rows where it has several."""
        step = self.bits(purpose, ids) >> _STEP_BITS
        return table[step] if row is None else table[row, step]

    def spread(self, purpose: str, ids: Ints, table: Ints, row: Ints | None = None) -> Ints:
        """A value of a distribution made by `quantiles`, evenly between its steps."""
        drawn = self.bits(purpose, ids)
        step, rest = (drawn >> _STEP_BITS).astype(np.int64), (drawn & _REST_MASK).astype(np.int64)
        low, high = (table[step], table[step + 1]) if row is None else (table[row, step], table[row, step + 1])
        return low + (((high - low) * rest) >> 20)


def choices(weights: Sequence[float]) -> Ints:
    """A table from which each index is drawn as often as its weight says, to one in 4,096."""
    total = sum(weights)
    table: list[int] = []
    added = 0.0
    for number, weight in enumerate(weights):
        added += weight
        table += [number] * (round(STEPS * added / total) - len(table))
    return np.array(table, dtype=np.int64)


def quantiles(*points: tuple[float, int]) -> Ints:
    """A distribution from points (share, value), straight between them; shares begin at 0 and end at 1."""
    table = []
    place = 0
    for step in range(STEPS + 1):
        share = step / STEPS
        while place < len(points) - 2 and share > points[place + 1][0]:
            place += 1
        (left, low), (right, high) = points[place], points[place + 1]
        table.append(int(low + (high - low) * (share - left) / (right - left)))
    return np.array(table, dtype=np.int64)
