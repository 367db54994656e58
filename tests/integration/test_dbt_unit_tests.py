"""dbt's own unit tests, on the tables of a built store."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from pipelines import settings
from tests.support.stores import Store


def test_dbt_unit_tests_pass(built_datastore: Store, tmp_path: Path) -> None:
    # What the store's refresh parsed need not be parsed again.
    shutil.copy(built_datastore.home / "dbt" / "target" / "partial_parse.msgpack", tmp_path)
    done = subprocess.run(
        [settings.program("dbt"), "test", "--select", "test_type:unit", "--profiles-dir", "."],
        capture_output=True,
        text=True,
        cwd=settings.DBT_PROJECT,
        env={**built_datastore.environment, "DBT_TARGET_PATH": str(tmp_path), "DBT_LOG_PATH": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "ERROR=0" in done.stdout and "PASS=0" not in done.stdout, done.stdout[-500:]
