"""Looking for many texts at once in streams of bytes: seeded canaries, digests of batches, and what may be a key.

Every four bytes of a stream are looked up in one table; only where the table knows them is anything compared. So the
time is that of one pass, however many needles there are.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import urllib.parse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

WINDOW = 4
TABLE_BITS = 20
MULTIPLIER = 2654435761
# Base64 and hex of shorter text are found by chance in anything.
SHORTEST_ENCODED = 6

# A key as text: 32 bytes, or the 40 bytes that wrapping makes of them. The literal stands first so that it is sought.
BASE64_KEY = re.compile(rb"=(?<=[A-Za-z0-9+/_-]{43}=)(?!=)")
BASE64_WRAPPED = re.compile(rb"==(?<=[A-Za-z0-9+/_-]{54}==)")
KEY_TEXT = 80
HEX_LENGTHS = (64, 80)
# Turns every hex digit into "h" and the rest into blanks, so that a run of digits is found by its shape.
HEX_SHAPE = bytes(ord("h") if code in b"0123456789abcdefABCDEF" else ord(" ") for code in range(256))
HEX_RUN = b"h" * HEX_LENGTHS[0]
URL_SAFE = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True)
class Needle:
    """Something sought: a canary, told by its line in the file, or the digest of a batch."""

    kind: str
    label: str
    forms: frozenset[bytes]


def canary(text: str, line: int) -> Needle:
    """A canary in every form worth trying."""
    return Needle("canary", f"line {line}", frozenset(_forms(text)))


def digest(text: str) -> Needle:
    """The digest of a batch as hex text."""
    shapes = {text.lower(), text.upper()}
    return Needle(
        "digest",
        text,
        frozenset(shape.encode(code) for shape in shapes for code in ("ascii", "utf-16-le", "utf-16-be")),
    )


def _forms(text: str) -> Iterable[bytes]:
    plain = text.encode()
    yield plain
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield json.dumps(text)[1:-1].encode()
    yield urllib.parse.quote(text).encode()
    yield urllib.parse.quote_plus(text).encode()
    with contextlib.suppress(UnicodeEncodeError):
        yield text.encode("latin-1")
    if len(plain) >= SHORTEST_ENCODED:
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
        for offset in range(3):
            encoded = base64.b64encode(bytes(offset) + plain)
            # The characters that the text alone decides, whatever stands before and behind it.
            inner = encoded[-(-offset * 8 // 6) : (offset + len(plain)) * 8 // 6]
            yield inner
            yield inner.replace(b"+", b"-").replace(b"/", b"_")


class Finder:
    """The needles, made ready to be looked for."""

    def __init__(self, needles: Sequence[Needle]) -> None:
        self.needles = list(needles)
        self._table = np.zeros(1 << TABLE_BITS, dtype=bool)
        self._by_window: dict[int, list[tuple[int, bytes, int]]] = {}
        self._short: list[tuple[bytes, int]] = []
        self.longest = KEY_TEXT
        for number, needle in enumerate(self.needles):
            for form in needle.forms:
                self.longest = max(self.longest, len(form))
                if len(form) < WINDOW:
                    self._short.append((form, number))
                    continue
                # The window with the most different bytes: four spaces or zeros are everywhere.
                offset = max(range(len(form) - WINDOW + 1), key=lambda at: len(set(form[at : at + WINDOW])))
                window = int.from_bytes(form[offset : offset + WINDOW], "little")
                self._table[((window * MULTIPLIER) & 0xFFFFFFFF) >> (32 - TABLE_BITS)] = True
                self._by_window.setdefault(window, []).append((offset, form, number))

    def find(self, content: bytes) -> set[int]:
        """The numbers of the needles that stand in the bytes."""
        found = {number for form, number in self._short if form in content}
        for shift in range(WINDOW):
            count = (len(content) - shift) // WINDOW
            if count <= 0:
                continue
            words = np.frombuffer(content, "<u4", count, shift)
            slots = (words * np.uint32(MULTIPLIER)) >> np.uint32(32 - TABLE_BITS)
            hits = np.flatnonzero(self._table[slots])
            for window, hit in zip(words[hits].tolist(), hits.tolist(), strict=True):
                for offset, form, number in self._by_window.get(window, ()):
                    start = hit * WINDOW + shift - offset
                    if number not in found and start >= 0 and content.startswith(form, start):
                        found.add(number)
        return found


@dataclass
class Sweep:
    """One stream that is looked through piece by piece; what lies across two pieces is found too."""

    finder: Finder
    found: set[int] = field(default_factory=set)
    keys: set[bytes] = field(default_factory=set)
    _tail: bytes = b""

    def feed(self, piece: bytes) -> None:
        """The next bytes."""
        content = self._tail + piece if self._tail else piece
        self.found |= self.finder.find(content)
        self.keys |= _key_texts(content)
        self._tail = content[-self.finder.longest :]

    @property
    def needles(self) -> list[Needle]:
        """What was found, in the order in which it is sought."""
        return [self.finder.needles[number] for number in sorted(self.found)]


def _key_texts(content: bytes) -> set[bytes]:
    """What may be a key or a wrapped key: 32 or 40 bytes, written as text."""
    found = set()
    for pattern, length in ((BASE64_KEY, 44), (BASE64_WRAPPED, 56)):
        for match in pattern.finditer(content):
            found.add(base64.b64decode(content[match.end() - length : match.end()].translate(URL_SAFE)))
    shape = content.translate(HEX_SHAPE)
    start = shape.find(HEX_RUN)
    while start >= 0:
        end = shape.find(b" ", start)
        end = len(shape) if end < 0 else end
        if end - start in HEX_LENGTHS:
            found.add(bytes.fromhex(content[start:end].decode()))
        start = shape.find(HEX_RUN, end)
    return found
