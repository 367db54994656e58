"""Writing files so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import yaml


def replace_with(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put `content` at `path` in one step, flushed to disk first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def read_yaml(path: Path) -> Any:
    """What a declaration says. Read by libyaml: a command reads some fifty of them, in Python that took a second."""
    return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


def copy(source: Path, target: Path) -> None:
    """Copy a file that nobody writes to now, and flush it: within the file system where it can share the blocks."""
    with source.open("rb") as given, target.open("xb") as taken:
        left = os.fstat(given.fileno()).st_size
        try:
            while left > 0:
                left -= os.copy_file_range(given.fileno(), taken.fileno(), left) or left
        except (AttributeError, OSError):  # no such call here, or not between these two file systems
            given.seek(0)
            taken.seek(0)
            shutil.copyfileobj(given, taken, 1024**2)
        taken.flush()
        os.fsync(taken.fileno())


def append_line(path: Path, line: str) -> None:
    """Add a line to a file, flushed to disk. The caller sees to it that nobody else adds one now."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def destroy_file(path: Path) -> None:
    """Overwrite a file, flush it and remove it; nothing when it is gone already. A link goes, not what it points to.

    What the device keeps besides is out of reach: what must not be read again is encrypted, and its key destroyed.
    """
    if not path.is_symlink() and path.is_file():
        path.chmod(0o600)
        with path.open("r+b", buffering=0) as file:
            left = os.fstat(file.fileno()).st_size
            while left > 0:
                left -= file.write(bytes(min(left, 1024**2)))
            os.fsync(file.fileno())
    path.unlink(missing_ok=True)


def destroy_folder(path: Path) -> None:
    """`destroy_file` for all that lies in a folder, then the folder; nothing when it is gone already."""
    if path.is_symlink() or path.is_file():
        destroy_file(path)
        return
    for one in sorted(path.rglob("*"), reverse=True):
        if one.is_dir() and not one.is_symlink():
            one.rmdir()
        else:
            destroy_file(one)
    if path.exists():
        path.rmdir()
        sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Put a JSON document at `path` in one step; dates and times as ISO text."""
    replace_with(path, json.dumps(value, indent=1, sort_keys=True, default=str).encode())


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock file now."""
    if not path.exists():
        return False
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def lock(path: Path) -> Iterator[TextIO]:
    """Hold the lock file for the block; waits for its holder. The kernel frees it when a process dies."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
