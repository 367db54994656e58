"""Looking into every file of every place: its hash, its bytes, what is packed in it, and whether it may be a key.

What has to be opened by a key or by a database is put aside for later, when all the keys that lie about are known.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import hashlib
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from retention_verifier import keys, sealed
from retention_verifier.keys import Keys
from retention_verifier.needles import Finder, Needle, Sweep
from retention_verifier.verdict import Verdict

CHUNK = 4 << 20
# How often something may be packed in something that is packed.
DEEPEST = 6
LARGEST_KEY_FILE = 4096

Opener = Callable[[], BinaryIO]


@dataclass(frozen=True)
class Place:
    """A folder, or a file, that is looked into. `kind`: home, keys, folder, or backup of data or of keys.

    A backup of data that the plan names and says to be closed may hold sealed copies, as long as nothing opens them.
    """

    path: Path
    kind: str
    label: str = ""
    is_closed: bool = False

    def told(self, path: Path) -> str:
        """How a file of it is called in the verdict: what is in the home by its path there."""
        if self.kind == "home":
            return str(path.relative_to(self.path))
        return f"{self.label or self.path}{str(path)[len(str(self.path)) :]}"


@dataclass(frozen=True)
class Content:
    """Some bytes: where they are, how to read them from their start, the file that they are or are packed in."""

    where: str
    open: Opener
    place: Place
    path: Path
    depth: int = 0


@dataclass(frozen=True)
class Copy:
    """A content whose hash is one of those sought."""

    sha256: str
    content: Content


@dataclass
class Looker:
    """One look into all places."""

    verdict: Verdict
    finder: Finder
    hashes: frozenset[str]
    keys: Keys
    names_allowed: Callable[[Content], bool]
    skipped: frozenset[Path] = frozenset()
    copies: list[Copy] = field(default_factory=list)
    sealed: list[Content] = field(default_factory=list)
    databases: list[Content] = field(default_factory=list)
    parquets: list[Content] = field(default_factory=list)
    sqlites: list[Content] = field(default_factory=list)
    files: list[tuple[Place, Path]] = field(default_factory=list)
    _seen: set[Path] = field(default_factory=set)

    def walk(self, places: list[Place]) -> None:
        """Look into every file of the places once."""
        roots = [place.path.resolve() for place in places]
        queue = deque((place, place.path) for place in places)
        while queue:
            place, path = queue.popleft()
            try:
                real = path.resolve()
                if real in self._seen or real in self.skipped:
                    continue
                self._seen.add(real)
                if path.is_symlink() and path != place.path:
                    self._name(place, path)
                    # What a link names is looked into where it lies, and added when it lies elsewhere.
                    outside = not any(real == root or root in real.parents or real in root.parents for root in roots)
                    self._seen.discard(real)
                    if outside and real.exists():
                        queue.append((Place(real, "folder", place.told(path)), real))
                    continue
                mode = path.stat().st_mode
                if stat.S_ISDIR(mode):
                    self._name(place, path)
                    with os.scandir(path) as entries:
                        queue.extend((place, path / entry.name) for entry in sorted(entries, key=lambda one: one.name))
                elif stat.S_ISREG(mode):
                    self._name(place, path)
                    self._file(place, path)
                else:
                    self.verdict.could_not_try(
                        f"{place.told(path)}: a pipe, socket or device holds no bytes to look at"
                    )
            except FileNotFoundError:
                if path in (one.path for one in places):
                    self.verdict.fail("unreadable", place.told(path), "could not look into it: it is not there")
            except (OSError, RuntimeError) as error:  # a link that leads to itself is a RuntimeError
                why = getattr(error, "strerror", None) or type(error).__name__
                self.verdict.fail("unreadable", place.told(path), f"could not look into it: {why}")

    def swept(self, sweep: Sweep, where: str, content: Content) -> None:
        """Say what a sweep has found."""
        found = sweep.needles
        self._tell([needle for needle in found if needle.kind == "canary"], where)
        if not self.names_allowed(content):
            self._tell([needle for needle in found if needle.kind == "digest"], where)
        for candidate in sweep.keys:
            self.keys.find(candidate, "", where, is_whole_file=False)

    def look(self, content: Content, kind: str = "") -> str:
        """Hash and sweep some bytes and what is packed in them; returns their SHA-256."""
        sweep, sha256, size, head = Sweep(self.finder), hashlib.sha256(), 0, b""
        with content.open() as source:
            while piece := source.read(CHUNK):
                head = head or piece
                size += len(piece)
                sha256.update(piece)
                sweep.feed(piece)
        self.verdict.looked_at["bytes"] += size
        self.swept(sweep, content.where, content)
        if sha256.hexdigest() in self.hashes and size:
            self.copies.append(Copy(sha256.hexdigest(), content))
        if size <= LARGEST_KEY_FILE and (found := keys.material(head)) is not None:
            self.keys.find(found, keys.name_of(content.path), content.where, is_whole_file=True)
        self._sort(content, head)
        return sha256.hexdigest()

    def _file(self, place: Place, path: Path) -> None:
        self.verdict.looked_at["files"] += 1
        self.files.append((place, path))
        self.look(Content(place.told(path), lambda: path.open("rb"), place, path))

    def _name(self, place: Place, path: Path) -> None:
        """A name can be a copy too."""
        sweep = Sweep(self.finder)
        sweep.feed(os.fsencode(path.name))
        if sweep.found and path != place.path:
            content = Content(place.told(path), lambda: cast(BinaryIO, io.BytesIO()), place, path)
            self.swept(sweep, f"{place.told(path.parent)}, the name of a file or folder in it", content)

    def _tell(self, needles: list[Needle], where: str) -> None:
        if not needles:
            return
        labels = [needle.label if needle.kind == "canary" else needle.label[:12] for needle in needles]
        shown = ", ".join(labels[:5]) + (f" and {len(labels) - 5} more" if len(labels) > 5 else "")
        if needles[0].kind == "canary":
            self.verdict.fail("canary", where, f"holds the canary of {shown}")
        else:
            self.verdict.fail("digest_found", where, f"names batch {shown}")

    def _sort(self, content: Content, head: bytes) -> None:
        """Put aside what is opened later; look into what is packed."""
        if head.startswith(sealed.MAGIC):
            self.sealed.append(content)
        elif head[8:12] == b"DUCK":
            self.databases.append(content)
        elif head.startswith((b"PAR1", b"PARE")):
            self.parquets.append(content)
        elif head.startswith(b"SQLite format 3\0"):
            self.sqlites.append(content)
        elif packed := _packed(head):
            if content.depth >= DEEPEST:
                self.verdict.could_not_try(f"{content.where}: packed more than {DEEPEST} times over")
                return
            try:
                for inner in packed(content):
                    self.look(inner)
            except (
                OSError,
                EOFError,
                RuntimeError,
                NotImplementedError,
                zlib.error,
                lzma.LZMAError,
                zipfile.BadZipFile,
                tarfile.TarError,
                pa.ArrowException,
            ) as error:
                self.verdict.could_not_try(
                    f"{content.where}: looks packed and does not unpack ({type(error).__name__}); looked at as bytes"
                )


def _inside(content: Content, name: str, opener: Opener) -> Content:
    return Content(f"{content.where} > {name}", opener, content.place, content.path, content.depth + 1)


def _single(name: str, opened: Callable[[BinaryIO], object]) -> Callable[[Content], Iterator[Content]]:
    def inner(content: Content) -> Iterator[Content]:
        yield _inside(content, name, lambda: cast(BinaryIO, opened(content.open())))

    return inner


def _zip(content: Content) -> Iterator[Content]:
    # What is in it may be opened later, so each opening opens the archive anew.
    def opened(name: zipfile.ZipInfo) -> BinaryIO:
        return cast(BinaryIO, zipfile.ZipFile(content.open()).open(name))

    with content.open() as source, zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                yield _inside(content, member.filename, functools.partial(opened, member))


def _tar(content: Content) -> Iterator[Content]:
    def opened(member: tarfile.TarInfo) -> BinaryIO:
        return cast(BinaryIO, tarfile.open(fileobj=content.open(), mode="r:").extractfile(member))

    with content.open() as source, tarfile.open(fileobj=source, mode="r:") as archive:
        for member in archive:
            if member.isfile():
                yield _inside(content, member.name, functools.partial(opened, member))


def _packed(head: bytes) -> Callable[[Content], Iterator[Content]] | None:
    """How to open what is packed, by how it begins."""
    if head.startswith(b"\x1f\x8b"):
        return _single("gzip", lambda source: gzip.GzipFile(fileobj=source))
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _single("zstd", lambda source: pa.CompressedInputStream(source, "zstd"))
    if head.startswith(b"BZh"):
        return _single("bzip2", lambda source: bz2.BZ2File(source))
    if head.startswith(b"\xfd7zXZ\x00"):
        return _single("xz", lambda source: lzma.LZMAFile(source))
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip
    if head[257:262] == b"ustar":
        return _tar
    return None
