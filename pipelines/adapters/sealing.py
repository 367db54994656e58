"""Sealing a stream of any size: AES-256-GCM in frames under a random key of its own.

A sealed file is a magic number and frames of 1 MiB (the last one shorter, maybe empty), each with its 16-byte tag.
The nonce of a frame is its number and whether it is the last, so frames can neither be swapped, dropped nor cut off.
The batch key is made for one file, so no nonce is ever used twice under it; the key store keeps it, wrapped (RFC 3394)
by the key of the feed and agreement.
"""

from __future__ import annotations

import hashlib
import io
from collections import OrderedDict
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.adapters.keys import Key

MAGIC = b"CDSEAL1\n"
FRAME = 1 << 20
TAG = 16
# Frames that a file opened for reading anywhere keeps in memory.
FRAMES_KEPT = 8


class SealBroken(Exception):
    """A sealed file that does not open: the wrong key, or bytes that were changed or cut."""


def seal(source: BinaryIO, target: BinaryIO) -> tuple[bytes, str, int]:
    """Seal a stream; returns the secret of its batch key, the SHA-256 of the bytes as they came, and their number."""
    secret = AESGCM.generate_key(256)
    cipher = AESGCM(secret)
    digest, size, number = hashlib.sha256(), 0, 0
    target.write(MAGIC)
    frame = _filled(source)
    while True:
        following = _filled(source) if len(frame) == FRAME else b""
        last = not following
        digest.update(frame)
        size += len(frame)
        target.write(cipher.encrypt(_nonce(number, last), frame, MAGIC))
        if last:
            return secret, digest.hexdigest(), size
        frame, number = following, number + 1


def unseal(source: BinaryIO, key: Key) -> Iterator[bytes]:
    """The bytes as they came, frame by frame. Raises `SealBroken`."""
    cipher = _opened(source, key)
    frame, number = source.read(FRAME + TAG), 0
    while True:
        following = source.read(FRAME + TAG)
        last = not following
        yield _decrypted(cipher, number, last, frame)
        if last:
            return
        frame, number = following, number + 1


class Unsealed(io.RawIOBase):
    """A sealed file as its bytes came, read anywhere: a frame is opened when it is asked for. Raises `SealBroken`."""

    def __init__(self, source: BinaryIO, key: Key) -> None:
        super().__init__()
        self._source = source
        self._cipher = _opened(source, key)
        sealed = source.seek(0, io.SEEK_END) - len(MAGIC)
        self._last, rest = divmod(max(sealed - TAG, 0), FRAME + TAG)
        self.size = self._last * FRAME + rest
        # A file of whole frames has no empty one behind them.
        if rest == 0 and self._last:
            self._last -= 1
        self._position = 0
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        left = max(self.size - self._position, 0)
        wanted = left if size is None or size < 0 else min(size, left)
        parts = []
        while wanted:
            number, offset = divmod(self._position, FRAME)
            part = self._frame(number)[offset : offset + wanted]
            parts.append(part)
            wanted -= len(part)
            self._position += len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close the sealed file too."""
        self._source.close()
        super().close()

    def _frame(self, number: int) -> bytes:
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        self._source.seek(len(MAGIC) + number * (FRAME + TAG))
        frame = self._source.read(FRAME + TAG)
        self._kept[number] = _decrypted(self._cipher, number, number == self._last, frame)
        if len(self._kept) > FRAMES_KEPT:
            self._kept.popitem(last=False)
        return self._kept[number]


def _opened(source: BinaryIO, key: Key) -> AESGCM:
    if source.read(len(MAGIC)) != MAGIC:
        raise SealBroken("not a sealed file")
    return AESGCM(key.secret)


def _decrypted(cipher: AESGCM, number: int, last: bool, frame: bytes) -> bytes:
    try:
        return cipher.decrypt(_nonce(number, last), frame, MAGIC)
    except InvalidTag:
        raise SealBroken("the sealed bytes were changed or cut, or are another key's") from None


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _filled(source: BinaryIO) -> bytes:
    """One whole frame, however short the stream's own reads are."""
    parts: list[bytes] = []
    wanted = FRAME
    while wanted and (part := source.read(wanted)):
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)
