"""A new feed is one command and then facts: scaffolded in a copy of the checkout and walked to a mart."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import settings
from tests.support.forks import Commands, Ended
from tests.support.stores import Store

FEED = "discharge_sitrep"
AGREEMENT = "nhs_england_published_statistics"
CONTRACTS = ("tests/contracts/test_declarations.py", "-q", "-p", "no:cacheprovider")
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".datastore", "__pycache__", ".*_cache", "node_modules")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the new feed written into it."""
    copy = tmp_path_factory.mktemp("checkout") / "project"
    shutil.copytree(settings.PROJECT_ROOT, copy, ignore=LEFT_OUT)
    return copy


def run(checkout: Path, store: Store, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**store.environment, "PYTHONPATH": str(checkout)}
    environment.pop("DATASTORE_REAL_FEEDS", None)
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env=environment, cwd=checkout, check=False
    )


def test_a_scaffolded_feed_reaches_observation(checkout: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    written = run(checkout, store, "-m", "pipelines.cli", "new-feed", FEED, "--agreement", AGREEMENT)
    assert written.returncode == 0, written.stderr
    unsigned = run(checkout, store, "-m", "pytest", *CONTRACTS)
    assert unsigned.returncode != 0 and f"does not list {FEED} in its datasets" in unsigned.stdout
    line = f"      - {FEED}"
    assert f"agreement {AGREEMENT}, a line under datasets:{line}" in written.stdout
    agreements = checkout / "governance/agreements.yaml"
    agreements.write_text(agreements.read_text().replace("    datasets:\n", f"    datasets:\n{line}\n", 1))
    # What follows runs the code of the checkout as it is now, imported once.
    with Commands(tmp_path / "outputs", checkout=checkout, PYTHONPATH=str(checkout)) as commands:

        def datastore(*arguments: str) -> Ended:
            return commands.run(store, *arguments)

        assert datastore("docs").code == 0
        contracts = run(checkout, store, "-m", "pytest", *CONTRACTS)
        assert contracts.returncode == 0, contracts.stdout[-3000:]

        assert datastore("synthesise", str(tmp_path / "england")).code == 0
        received = datastore("receive", FEED, str(tmp_path / "england" / FEED), "--json")
        assert received.code == 0, received.out + received.err
        faults = sorted((tmp_path / "england" / "faults").glob(f"{FEED}.*"))
        assert faults
        for fault in faults:
            refused = datastore("receive", FEED, str(fault))
            assert refused.code == 3 and fault.stem in refused.out, refused.out
        refreshed = datastore("refresh")
        assert refreshed.code == 0, refreshed.err
        asked = f"select org_code, value from marts.observation where metric_id like '{FEED}%' order by 1"
        rows = [
            {"org_code": "ZA0", "value": 120.0},
            {"org_code": "ZA1", "value": 0.0},
            {"org_code": "ZS001", "value": 7.0},
        ]
        assert json.loads(datastore("query", asked, "--json").out) == rows

        # A model that fails: one line that names it, and the release before stays served.
        model = checkout / "dbt_project/models/marts/observations/publication.sql"
        good = model.read_text()
        model.write_text(f"{good}\nwhere 'no number' + 1 = 2\n")
        broken = datastore("refresh")
        model.write_text(good)
        assert broken.code == 4 and "model publication failed" in broken.err, broken.err
        assert "no number" not in broken.err and "Traceback" not in broken.out + broken.err
        assert json.loads(datastore("query", asked, "--json").out) == rows


def test_a_feed_whose_agreement_is_unknown_stops_the_code_location(checkout: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    path = checkout / "pipelines/defs/feeds/ods_sites/defs.yaml"
    good = path.read_text()
    path.write_text(good.replace("agreement: ods_open_data", "agreement: a_handshake"))
    try:
        loaded = run(
            checkout,
            store,
            "-c",
            "from pipelines.definitions import defs\n"
            "try:\n    defs()\n"
            "except Exception as error:\n"
            "    while error:\n        print(error); error = error.__cause__ or error.__context__\n",
        )
        status = run(checkout, store, "-m", "pipelines.cli", "status")
    finally:
        path.write_text(good)
    assert "feed ods_sites names agreement a_handshake" in loaded.stdout
    assert status.returncode != 0 and "feed ods_sites names agreement a_handshake" in status.stderr
    assert "Traceback" not in status.stderr and os.linesep * 2 not in status.stderr
