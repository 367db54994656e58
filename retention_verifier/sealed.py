"""Sealed originals, opened without the pipeline's code: AES-256-GCM in frames of 1 MiB, each with its tag.

The nonce of a frame is its number and whether it is the last.
"""

from __future__ import annotations

import io
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"CDSEAL1\n"
FRAME = 1 << 20
TAG = 16


class Closed(Exception):
    """The key does not open the file, or its bytes were changed."""


class Unsealed(io.RawIOBase):
    """A sealed file as its bytes came, read anywhere. Raises `Closed`, for a wrong key at once."""

    def __init__(self, source: BinaryIO, secret: bytes) -> None:
        super().__init__()
        self._source = source
        self._cipher = AESGCM(secret)
        frames = source.seek(0, io.SEEK_END) - len(MAGIC)
        if frames < TAG:
            raise Closed
        self._frames = -(-frames // (FRAME + TAG))
        self.size = frames - self._frames * TAG
        self._position = 0
        self._number = -1
        self._frame = b""
        self._open(0)

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
        self._position = max(offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence], 0)
        return self._position

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        """Bytes of the frame that holds the position; none at the end."""
        if self._position >= self.size:
            return 0
        number, offset = divmod(self._position, FRAME)
        self._open(number)
        part = self._frame[offset : offset + len(target)]
        target[: len(part)] = part
        self._position += len(part)
        return len(part)

    def close(self) -> None:
        """Close the sealed file too."""
        self._source.close()
        super().close()

    def _open(self, number: int) -> None:
        if number == self._number:
            return
        self._source.seek(len(MAGIC) + number * (FRAME + TAG))
        nonce = number.to_bytes(11, "big") + (b"\x01" if number == self._frames - 1 else b"\x00")
        try:
            self._frame = self._cipher.decrypt(nonce, self._source.read(FRAME + TAG), MAGIC)
        except (InvalidTag, ValueError):
            raise Closed from None
        self._number = number
