"""What holds for every test: a folder is a promise about what its tests need, and the runner keeps it.

Helpers and fixtures of one kind of test belong in the `conftest.py` of its folder, not here.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from pipelines.cli import COLLECTED_AFTER
from tests.support.compiled import CompiledProject
from tests.support.stores import Store
from tests.support.supplied import share

TESTS = Path(__file__).resolve().parent

BUILT = "built_datastore"
"""The fixture that gives a refreshed store: tens of seconds, so where it may be used is declared."""

LIGHT = {"unit", "spec", "properties"}
"""Nothing but memory and a temporary folder; never a refreshed store."""

EITHER = {"integration", "contracts", "security", "browser"}
"""Parts together, the shape of what is delivered, custody, pages: with a refreshed store or without."""

HEAVY = {"end_to_end"}
"""The whole road; always on a refreshed store."""

TOGETHER = {"guarded": "guarded", BUILT: "built", "compiled_project": "compiled"}
"""Tests that share one of these fixtures run in one process, so that it is made once and nobody else is at it; every
other module is a group of its own. Groups start in this order, then `LONG`, then the rest: the longest first."""

LONG = (
    *("test_the_end", "test_withdrawal", "test_delta_equals_full", "test_new_feed", "test_real_files"),
    *("test_governed", "test_synthetic", "test_lost_keys", "test_person_files"),
)


def pytest_configure() -> None:
    """What is made once a run is made once, however many processes run it; garbage is looked for as commands do."""
    share()
    gc.set_threshold(*COLLECTED_AFTER)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what reads the publishers' files, before `-m` chooses; put tests together that share what is dear."""
    for item in items:
        if "feeds_dir" in _fixtures(item):
            item.add_marker("real_feeds")
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    first = [*TOGETHER.values(), *LONG]
    items.sort(key=lambda item: first.index(_group(item)) if _group(item) in first else len(first))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Fail when groups are not kept: nothing else would say so but the clock, since each process makes all it needs."""
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        pytest.exit("pytest-xdist does not keep groups together with this pytest: see requirements.in", returncode=3)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose folder lies, before anything that it asks for is made."""
    if lie := _lie(item):
        pytest.fail(f"a test in the wrong folder: {lie}", pytrace=False)


def pytest_report_header() -> str:
    """Say at the top whether the publishers' files are used."""
    folder = _real_feeds()
    found = str(folder) if folder.is_dir() else f"none at {folder}, their tests are skipped"
    return f"real files: {found}"


@pytest.fixture(scope="session")
def feeds_dir() -> Path:
    """The folder of the publishers' real files, one folder a feed; a test that asks is skipped without it.

    Named by `DATASTORE_REAL_FEEDS`, else `shared/feeds` beside the checkout. A folder that was named and is
    not there is a failure: somebody meant the tests to run.
    """
    folder = _real_feeds()
    if folder.is_dir():
        return folder
    if "DATASTORE_REAL_FEEDS" in os.environ:
        pytest.fail(f"DATASTORE_REAL_FEEDS names no folder: {folder}", pytrace=False)
    pytest.skip(f"no real files at {folder}; name their folder in DATASTORE_REAL_FEEDS")


@pytest.fixture(scope="session")
def built_datastore(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The synthetic England received and published, as `make refresh` does it. Copy it before changing it."""
    store = Store(tmp_path_factory.mktemp("built") / "store")
    run = subprocess.run(
        [sys.executable, "-m", "pipelines.first_run"],
        capture_output=True,
        text=True,
        env=store.environment,
        cwd=TESTS.parent,
        check=False,
    )
    if run.returncode:
        pytest.fail(f"the synthetic England was not published:\n{run.stdout}\n{run.stderr}", pytrace=False)
    return store


@pytest.fixture(scope="session")
def compiled_project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    """The dbt project, compiled once; its models run in memory on the rows that a test gives."""
    return CompiledProject(tmp_path_factory.mktemp("compiled"))


def _real_feeds() -> Path:
    beside = TESTS.parents[1] / "shared" / "feeds"
    return Path(os.environ.get("DATASTORE_REAL_FEEDS", beside)).expanduser().absolute()


def _group(item: pytest.Item) -> str:
    """The tests that this one runs in one process with."""
    return next((group for fixture, group in TOGETHER.items() if fixture in _fixtures(item)), item.path.stem)


def _lie(item: pytest.Item) -> str | None:
    """What is wrong with where this test stands, or None."""
    folder = item.path.relative_to(TESTS).parts[0]
    builds = BUILT in _fixtures(item)
    if folder in LIGHT and builds:
        return f"{item.nodeid}: {folder}/ promises no refreshed store, but it uses {BUILT}"
    if folder in HEAVY and not builds:
        return f"{item.nodeid}: {folder}/ promises a refreshed store, but it does not use {BUILT}"
    if folder not in LIGHT | EITHER | HEAVY:
        return f"{item.nodeid}: a test stands in one of {', '.join(sorted(LIGHT | EITHER | HEAVY))}"
    return None


def _fixtures(item: pytest.Item) -> Iterable[str]:
    return getattr(item, "fixturenames", ())
