"""What is made once a test run: the synthetic England as suppliers would send it, and what dbt has parsed."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from data.synthetic import write
from pipelines.settings import PROJECT_ROOT, Settings

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
    """The folder of the synthetic England. Nobody changes it."""
    return _once("england", write)


@cache
def parsed() -> Path:
    """What dbt makes of the project: it names no store, and takes longer than to build a small one."""
    return _once("parsed", _parse)


def lend_parsed(target: Path) -> None:
    """Give a store what dbt has parsed, unless it has its own."""
    if not target.exists():
        shutil.copytree(parsed(), target)


def _once(name: str, make: Callable[[Path], object]) -> Path:
    """A shared folder, made by whichever process asks first."""
    share()
    folder = Path(os.environ[SHARED]) / name
    with (folder.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = folder.with_name(f"{name}.making")
            make(making)
            making.rename(folder)
    return folder


def _parse(folder: Path) -> None:
    aside = folder.with_name("aside")
    subprocess.run(
        [sys.executable, "-c", "from pipelines.adapters.dbt_project import project; project()"],
        env={**os.environ, "DATASTORE_HOME": str(aside), "DATASTORE_KEYS": str(aside / "keys")},
        cwd=PROJECT_ROOT,
        check=True,
    )
    Settings(home=aside, keys=aside / "keys").dbt_target.rename(folder)


def supplied(feed: str, starts: str = "") -> Path:
    """The first good file of a feed whose name starts like that."""
    return min((england() / feed).glob(f"{starts}*"))
