"""What a person-level file is, told from its first bytes: delimited text, plain or compressed, or Parquet.

Names mean nothing. Compressed text is unpacked while it is read; one that grows beyond reason is refused.
"""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipelines.domain.persons.declaration import Records
from pipelines.domain.persons.layouts import OtherLayout
from pipelines.domain.refusals import Refused, printable, refuse

CHUNK = 1 << 20
LONGEST_HEADER = 1 << 16
A_NAME = re.compile(r"(?!.*\d{3})[A-Za-z][A-Za-z0-9_]*")
BOM = b"\xef\xbb\xbf"
GZIP, ZSTD, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
NOT_READ = {
    b"PK\x03\x04": "a zip archive or a workbook",
    b"\xd0\xcf\x11\xe0": "an old workbook",
    b"%PDF": "a PDF",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
}
# Records compress ten to twenty times; what unpacks to more than this, beyond the first so many bytes, is no such file.
MOST_TIMES = 200
UNCHECKED = 256 << 20


@dataclass(frozen=True)
class Header:
    """The columns of a file in its own order: `used` are read, `extra` are those that nobody declared.

    `layout` is that of another publication, if the file has it.
    """

    columns: tuple[str, ...]
    used: tuple[str, ...]
    extra: tuple[str, ...]
    layout: OtherLayout | None = None


def is_parquet(first: bytes) -> bool:
    """Whether a file begins as Parquet does."""
    return first.startswith(PARQUET)


def text(frames: Iterator[bytes], first: bytes) -> Iterator[bytes]:
    """The text of a file whose first bytes are `first`, unpacked. Raises `Refused` for what is no text."""
    if not first:
        raise refuse("the file is empty")
    for magic, kind in NOT_READ.items():
        if first.startswith(magic):
            raise refuse(f"this is {kind}: send CSV, plain or as .gz or .zst, or Parquet")
    whole = _chain(first, frames)
    if first.startswith(GZIP):
        return _within_reason(_counted(whole), _gunzip)
    if first.startswith(ZSTD):
        return _within_reason(_counted(whole), _unzstd)
    return whole


def header(texts: Iterator[bytes], records: Records) -> tuple[Header, Iterator[bytes]]:
    """The header on line 1, and the text after it. Raises `Refused` when it does not fit the declaration."""
    seen = b""
    for part in texts:
        seen += part
        if b"\n" in seen[: LONGEST_HEADER + 1] or len(seen) > LONGEST_HEADER:
            break
    end = seen.find(b"\n")
    if end < 0 or end > LONGEST_HEADER:
        # One line without an end may be a header alone; a long one is none.
        if len(seen) > LONGEST_HEADER:
            raise refuse(f"no line end in the first {LONGEST_HEADER // 1024} KiB: this is no CSV of records")
        if b"\r" in seen.strip(b"\r"):
            raise refuse("lines end with CR alone: end them with LF or CR LF")
        end = len(seen)
    line = seen[:end].removeprefix(BOM).removesuffix(b"\r")
    if b"\0" in line:
        raise refuse("NUL bytes in line 1: this is no text", row=1)
    try:
        words = line.decode("utf-8")
    except UnicodeDecodeError:
        raise refuse("line 1 is not UTF-8: send UTF-8", row=1) from None
    try:
        names = next(csv.reader([words], strict=True), [])
    except csv.Error:
        raise refuse("the header on line 1 is not CSV", row=1) from None
    return checked([name.strip(" ") for name in names], records), _chain(seen[end + 1 :], texts)


def checked(names: list[str], records: Records) -> Header:
    """The columns of a file, all declared ones among them. Raises `Refused` with every reason."""
    reasons = []
    if not any(names):
        raise refuse("the header on line 1 is empty", row=1)
    for layout in records.layouts:
        if layout.is_of(names):
            return _of_layout(names, layout)
    # Without a header the first line holds values: only declared names are said.
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if named := [name for name in twice if name in records.names]:
        twice = named
        reasons.append(refuse(f"columns stand twice in the header: {_listed(twice)}", row=1))
    if missing := [name for name in records.names if name not in names]:
        reasons.append(refuse(f"declared columns are missing: {_listed(missing)}{_hint(missing, names)}", row=1))
    elif twice and not reasons:
        reasons.append(refuse(f"undeclared columns stand twice in the header: {_listed(twice)}", row=1))
    if reasons:
        raise Refused(*(reason for one in reasons for reason in one.reasons))
    used = tuple(name for name in names if name in records.names)
    return Header(tuple(names), used, tuple(name for name in names if name not in records.names))


def _of_layout(names: list[str], layout: OtherLayout) -> Header:
    """The columns of a file in another publication's layout, whose names may be written in small letters."""
    used = layout.used(names)
    upper = [name.upper() for name in used]
    if twice := sorted({name for name in upper if upper.count(name) > 1}):
        raise refuse(f"columns stand twice in the header: {_listed(twice)}", row=1)
    return Header(tuple(names), used, layout.further(names), layout)


def undeclared(names: Iterable[str]) -> Refused:
    """The refusal of a file whose undeclared columns hold values."""
    return refuse(f"undeclared columns hold values: {_listed(list(names))}", row=1)


def mistyped(names: Iterable[str]) -> Refused:
    """The refusal of a Parquet file whose columns are neither text nor of the declared type."""
    return refuse(f"columns are neither text nor of their own type: {_listed(list(names))}")


def _listed(names: list[str]) -> str:
    # What is no name of a column may be a value that a broken export wrote into the header.
    told = [printable(name, 64) if A_NAME.fullmatch(name) else "(no column name)" for name in names[:10]]
    return ", ".join(told) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _hint(missing: list[str], names: list[str]) -> str:
    lower = {name.lower() for name in names}
    return " (names are written in lower case)" if any(name in lower for name in missing) else ""


def _chain(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


class _counted:
    """Chunks, and how many bytes of them were taken."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.taken = chunks, 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.taken += len(chunk)
            yield chunk


def _within_reason(packed: _counted, unpack: Any) -> Iterator[bytes]:
    given = 0
    for part in unpack(packed):
        given += len(part)
        if given > UNCHECKED and given > MOST_TIMES * packed.taken:
            raise refuse(f"unpacks to more than {MOST_TIMES} times its size: no file of records does")
        yield part


def _gunzip(packed: Iterable[bytes]) -> Iterator[bytes]:
    unpacker, is_begun = zlib.decompressobj(wbits=31), False
    for chunk in packed:
        while chunk:
            try:
                part = unpacker.decompress(chunk, CHUNK)
            except zlib.error:
                raise refuse("the gzip file is damaged: send it again") from None
            is_begun = True
            if part:
                yield part
            if unpacker.eof:  # another member may follow, or padding with zeros
                chunk = unpacker.unused_data.lstrip(b"\0")
                unpacker, is_begun = zlib.decompressobj(wbits=31), False
            else:
                chunk = unpacker.unconsumed_tail
    if is_begun:
        raise refuse("the gzip file is cut short: send it again")


class _File(io.RawIOBase):
    """Chunks as a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self._chunks, self._pending = iter(chunks), b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._pending:
            self._pending = next(self._chunks, b"")
        part, self._pending = self._pending[:size], self._pending[size:]
        return part


def _unzstd(packed: Iterable[bytes]) -> Iterator[bytes]:
    with pa.input_stream(pa.PythonFile(_File(packed), mode="r"), compression="zstd") as stream:
        while True:
            try:
                part = stream.read(CHUNK)
            except OSError:
                raise refuse("the zstd file is damaged or cut short: send it again") from None
            if not part:
                return
            yield part
