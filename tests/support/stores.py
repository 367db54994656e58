"""A datastore of its own for a test, and the commands run on it as a user runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.settings import Settings


@dataclass(frozen=True)
class Store:
    """A store below one folder; `run` is the `datastore` command on it."""

    home: Path

    @property
    def settings(self) -> Settings:
        """The store's paths."""
        return Settings(home=self.home, keys=self.home / "keys")

    @property
    def environment(self) -> dict[str, str]:
        """What a subprocess on this store needs."""
        return {
            **os.environ,
            "DATASTORE_HOME": str(self.home),
            "DATASTORE_KEYS": str(self.home / "keys"),
            "DAGSTER_HOME": str(self.home / "dagster"),
            "DBT_TARGET_PATH": str(self.home / "dbt" / "target"),
            "DBT_LOG_PATH": str(self.home / "dbt" / "logs"),
            "COLUMNS": "200",
        }

    def run(self, *arguments: str, stdin: str = "", **changed: str) -> subprocess.CompletedProcess[str]:
        """Run `datastore ARGUMENTS`, its imports done before; `changed` are further environment variables."""
        from tests.support.forks import shared

        ended = shared().run(self, *arguments, stdin=stdin, changed=changed)
        return subprocess.CompletedProcess(["datastore", *arguments], ended.code, ended.out, ended.err)

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query on the public tier. Fails the test with the command's own words."""
        answer = self.run("query", sql, "--json")
        assert answer.returncode == 0, answer.stderr
        return list(json.loads(answer.stdout))

    def copy(self, target: Path) -> Store:
        """A copy that a test may change."""
        shutil.copytree(self.home, target, symlinks=True)
        return Store(target)
