"""Sealing: what goes in comes out, at any size; whatever is changed, cut or moved does not open."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO

import pytest

from pipelines.adapters.keys import Key
from pipelines.adapters.sealing import FRAME, MAGIC, TAG, SealBroken, seal, unseal

SEALED_FRAME = FRAME + TAG
SIZES = [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 3 * FRAME + 5]


class Trickle(io.BytesIO):
    """A stream whose reads come short, as those of a network do."""

    def read(self, size: int | None = -1, /) -> bytes:
        """At most a few bytes more than a third of a frame."""
        return super().read(min(size or 0, FRAME // 3 + 7))


def content(size: int) -> bytes:
    """Bytes of which no two frames are alike."""
    return hashlib.shake_256(size.to_bytes(8, "big")).digest(size)


def sealed(data: bytes, stream: type[BinaryIO] | type[io.BytesIO] = io.BytesIO) -> tuple[Key, bytes]:
    """The key and the sealed file of some bytes."""
    target = io.BytesIO()
    secret, digest, size = seal(stream(data), target)
    assert (digest, size) == (hashlib.sha256(data).hexdigest(), len(data))
    return Key("batch.tests.0", secret), target.getvalue()


def opened(file: bytes, key: Key) -> bytes:
    """What a sealed file gives back."""
    return b"".join(unseal(io.BytesIO(file), key))


@pytest.mark.parametrize("stream", [io.BytesIO, Trickle])
@pytest.mark.parametrize("size", SIZES)
def test_the_bytes_come_back(size: int, stream: type[io.BytesIO]) -> None:
    """At every size around a frame's, however short the source's reads are; and nothing of them shows."""
    data = content(size)
    key, file = sealed(data, stream)
    assert opened(file, key) == data
    frames = max(1, -(-size // FRAME))
    assert len(file) == len(MAGIC) + size + frames * TAG
    assert all(data[start : start + 16] not in file for start in range(0, size - 15, FRAME // 2))


def test_two_sealings_share_nothing() -> None:
    """The same bytes twice: other keys, and not one frame alike."""
    data = content(2 * FRAME)
    (first_key, first), (second_key, second) = sealed(data), sealed(data)
    assert first_key != second_key
    assert not _frames(first) & _frames(second)


def test_the_key_does_not_stand_in_the_file() -> None:
    """Nor in what is printed of it."""
    key, file = sealed(content(100))
    assert key.secret not in file
    assert key.text not in repr(key) and str(key.secret) not in repr(key)


def test_another_key_does_not_open() -> None:
    """Of all zeros, and that of another file."""
    key, file = sealed(content(100))
    for other in (Key(key.name, bytes(32)), sealed(content(100))[0]):
        with pytest.raises(SealBroken):
            opened(file, other)


def _frames(file: bytes) -> set[bytes]:
    body = file[len(MAGIC) :]
    return {body[start : start + SEALED_FRAME] for start in range(0, len(body), SEALED_FRAME)}


def _flipped(file: bytes, position: int) -> bytes:
    changed = bytearray(file)
    changed[position] ^= 1
    return bytes(changed)


def _swapped(file: bytes) -> bytes:
    start, middle, end = len(MAGIC), len(MAGIC) + SEALED_FRAME, len(MAGIC) + 2 * SEALED_FRAME
    return file[:start] + file[middle:end] + file[start:middle] + file[end:]


DAMAGES = {
    "first byte": lambda file: _flipped(file, 0),
    "first frame": lambda file: _flipped(file, len(MAGIC)),
    "last frame": lambda file: _flipped(file, len(file) - TAG - 1),
    "last tag": lambda file: _flipped(file, len(file) - 1),
    "frames swapped": _swapped,
    "first frame gone": lambda file: MAGIC + file[len(MAGIC) + SEALED_FRAME :],
    "middle frame gone": lambda file: file[: len(MAGIC) + SEALED_FRAME] + file[len(MAGIC) + 2 * SEALED_FRAME :],
    "last frame gone": lambda file: file[: len(MAGIC) + 2 * SEALED_FRAME],
    "one byte gone": lambda file: file[:-1],
    "one byte more": lambda file: file + b"\0",
    "a frame repeated": lambda file: file + file[len(MAGIC) : len(MAGIC) + SEALED_FRAME],
    "nothing but its name": lambda file: MAGIC,
    "nothing": lambda file: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_what_was_changed_does_not_open(damage) -> None:  # type: ignore[no-untyped-def]
    """No damage passes for the file, not even a cut at the border of two frames."""
    key, file = sealed(content(2 * FRAME + 100))
    with pytest.raises(SealBroken):
        opened(damage(file), key)
