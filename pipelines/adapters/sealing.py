"""Sealing a stream of any size: AES-256-GCM in frames under a random key of its own, which another key wraps.

A sealed file is a magic number and frames of 1 MiB (the last one shorter, maybe empty), each with its 16-byte tag.
The nonce of a frame is its number and whether it is the last, so frames can neither be swapped, dropped nor cut off.
The batch key is made for one file, so no nonce is ever used twice under it; it is kept next to the file, wrapped
(RFC 3394) by the key of the feed and agreement.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from pipelines.adapters.keys import Key

MAGIC = b"CDSEAL1\n"
FRAME = 1 << 20
TAG = 16


class SealBroken(Exception):
    """A sealed file that does not open: the wrong key, or bytes that were changed or cut."""


def seal(source: BinaryIO, target: BinaryIO, wrapping: Key) -> tuple[bytes, str, int]:
    """Seal a stream; returns the wrapped batch key, the SHA-256 of the bytes as they came, and their number."""
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
            return aes_key_wrap(wrapping.secret, secret), digest.hexdigest(), size
        frame, number = following, number + 1


def unseal(source: BinaryIO, wrapped: bytes, wrapping: Key) -> Iterator[bytes]:
    """The bytes as they came, frame by frame. Raises `SealBroken`."""
    try:
        cipher = AESGCM(aes_key_unwrap(wrapping.secret, wrapped))
    except InvalidUnwrap:
        raise SealBroken(f"key {wrapping.name} does not open this batch") from None
    if source.read(len(MAGIC)) != MAGIC:
        raise SealBroken("not a sealed file")
    frame, number = source.read(FRAME + TAG), 0
    while True:
        following = source.read(FRAME + TAG)
        last = not following
        try:
            yield cipher.decrypt(_nonce(number, last), frame, MAGIC)
        except InvalidTag:
            raise SealBroken("the sealed bytes were changed or cut") from None
        if last:
            return
        frame, number = following, number + 1


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
