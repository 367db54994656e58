"""The synthetic England as suppliers would send it."""

from __future__ import annotations

import atexit
import fcntl
import os
import tempfile
from functools import cache
from pathlib import Path

from data.synthetic import write

SHARED = "DATASTORE_TESTS_SHARED"
"""Environment variable: a folder that all processes of one test run share, made and removed by the first of them."""


def share() -> None:
    """Make the shared folder, unless a process above this one has; it is removed when this process ends."""
    if SHARED not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="datastore-tests-")
        atexit.register(folder.cleanup)
        os.environ[SHARED] = folder.name


@cache
def england() -> Path:
    """The folder of the synthetic England, written once a test run, whichever process asks first. Nobody changes it."""
    share()
    folder = Path(os.environ[SHARED]) / "england"
    with (folder.parent / "england.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = folder.with_name("england.making")
            write(making)
            making.rename(folder)
    return folder


def supplied(feed: str, starts: str = "") -> Path:
    """The first good file of a feed whose name starts like that."""
    return min((england() / feed).glob(f"{starts}*"))
