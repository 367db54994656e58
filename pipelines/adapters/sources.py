"""From what a user names (files, folders, patterns, URLs) to plain files that can be opened.

A symlink, pipe or device is no input: what it points at can change between looking and reading, or never end.
"""

from __future__ import annotations

import contextlib
import glob
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit, urlunsplit


class NoInput(Exception):
    """Something that was named and is no readable plain file; one line that says why."""


@dataclass(frozen=True)
class Source:
    """A file to receive: its own name, where it came from (no credentials), and how it opens."""

    name: str
    origin: str
    location: str
    is_url: bool

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file's bytes as a stream. Raises `NoInput` when it cannot be opened or read."""
        try:
            with _remote(self.location) if self.is_url else _plain(self.location) as stream:
                yield stream
        except NoInput:
            raise
        except (OSError, ImportError, ValueError) as error:
            raise NoInput(f"cannot be read: {_why(error)}") from None


def expand(argument: str) -> list[Source | tuple[str, str]]:
    """The sources that one argument names; a pair (name, reason) stands for something that is no input."""
    if not argument.strip():
        return [("(empty)", "an empty name")]
    if "://" in argument:
        return _expand_url(argument)
    path = Path(argument)
    if os.path.lexists(path):
        if path.is_dir() and not path.is_symlink():
            inside = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
            return [_local(entry) for entry in inside] or [(argument, "an empty folder")]
        return [_local(path)]
    if glob.has_magic(argument):
        matches = sorted(glob.glob(argument))
        return [_local(Path(match)) for match in matches] or [(argument, "no file matches the pattern")]
    return [(argument, "no such file")]


def _local(path: Path) -> Source | tuple[str, str]:
    mode = os.lstat(path).st_mode
    if not stat.S_ISREG(mode):
        return str(path), f"{_kind(mode)}, not a plain file"
    return Source(path.name, str(path.absolute()), str(path), is_url=False)


def _kind(mode: int) -> str:
    for test, kind in (
        (stat.S_ISLNK, "a symlink"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return kind
    return "a device"


@contextlib.contextmanager
def _plain(location: str) -> Iterator[BinaryIO]:
    # Looked at again after opening: the name may point elsewhere by now; O_NONBLOCK lest a pipe hold us.
    descriptor = os.open(location, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise NoInput(f"{_kind(mode)}, not a plain file")
        yield stream


def _expand_url(argument: str) -> list[Source | tuple[str, str]]:
    origin = without_credentials(argument)
    if argument.startswith("file://"):
        return expand(unquote(urlsplit(argument).path))
    try:
        import fsspec

        # A question mark begins a query in a URL; the characters of a pattern are the others.
        is_pattern = any(character in urlsplit(argument).path for character in "*[")
        fsspec.get_filesystem_class(argument.partition("://")[0])
        files = fsspec.open_files(argument, "rb") if is_pattern else []
        locations = [file.full_name for file in files] if is_pattern else [argument]
    except (OSError, ImportError, ValueError) as error:
        return [(origin, f"cannot be opened: {_why(error)}")]
    if not locations:
        return [(origin, "no file matches the pattern")]
    return [
        Source(Path(urlsplit(location).path).name or origin, without_credentials(location), location, is_url=True)
        for location in locations
    ]


@contextlib.contextmanager
def _remote(location: str) -> Iterator[BinaryIO]:
    import fsspec

    with fsspec.open(location, "rb") as stream:
        yield cast(BinaryIO, stream)


def without_credentials(url: str) -> str:
    """A URL as it may be recorded: no user, password, query or fragment."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


SAID = {FileNotFoundError: "not found", PermissionError: "permission denied", TimeoutError: "no answer in time"}


def _why(error: Exception) -> str:
    """What went wrong, without the address: it may hold a password or a token."""
    if isinstance(error, OSError):
        named = next((words for kind, words in SAID.items() if isinstance(error, kind)), "no connection")
        return os.strerror(error.errno).lower() if isinstance(error.errno, int) and error.errno > 0 else named
    line = str(error).partition("\n")[0]
    return type(error).__name__ if "://" in line else line
