"""The synthetic England as suppliers would send it."""

from __future__ import annotations

import atexit
import tempfile
from functools import cache
from pathlib import Path

from data.synthetic import write


@cache
def england() -> Path:
    """The folder of the synthetic England, written once a test run and removed at its end."""
    folder = tempfile.TemporaryDirectory(prefix="synthetic-england-")
    atexit.register(folder.cleanup)
    write(Path(folder.name))
    return Path(folder.name)


def supplied(feed: str, starts: str = "") -> Path:
    """The first good file of a feed whose name starts like that."""
    return min((england() / feed).glob(f"{starts}*"))
