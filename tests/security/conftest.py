"""One store that was filled and published under guard, with marks planted in what it got."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines.settings import Settings
from tests.support.canaries import Planted, planted
from tests.support.forks import Commands, Ended
from tests.support.network import Guard
from tests.support.stores import Store


class KeysApart(Store):
    """A store whose keys lie beside its home, as on another volume."""

    @property
    def settings(self) -> Settings:
        """The store's paths."""
        return Settings(home=self.home, keys=self.home.parent / "keys")

    @property
    def environment(self) -> dict[str, str]:
        """What a subprocess on this store needs."""
        return {**super().environment, "DATASTORE_KEYS": str(self.settings.keys)}


@dataclass
class Guarded:
    """The store below `root`, its guard, the files it got; what its commands said, and what they asked the network."""

    root: Path
    store: Store
    guard: Guard
    commands: Commands
    files: list[Planted] = field(default_factory=list)
    said: list[Ended] = field(default_factory=list)
    refreshed: Ended | None = None
    asked: list[str] = field(default_factory=list)

    def copy(self, folder: Path) -> KeysApart:
        """A copy of the store and its keys that a test may harm."""
        for name in ("store", "keys"):
            shutil.copytree(self.root / name, folder / name, symlinks=True)
        return KeysApart(folder / "store")

    def run(self, *words: str | Path) -> Ended:
        """Run a command on the store and keep what it said."""
        ended = self.commands.run(self.store, *words)
        self.said.append(ended)
        return ended


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A published store: keys on another volume, temporary files in a folder of their own, no network.

    Tests may add batches and releases to it.
    """
    root = tmp_path_factory.mktemp("guarded")
    store, guard = KeysApart(root / "store"), Guard(tmp_path_factory.mktemp("guard"))
    (root / "tmp").mkdir()
    with Commands(root / "outputs", TMPDIR=str(root / "tmp"), **guard.environment()) as commands:
        result = Guarded(root, store, guard, commands, planted(tmp_path_factory.mktemp("planted")))
        for file in result.files:
            ended = result.run("receive", file.feed, file.path)
            assert ended.code == (3 if file.is_refused else 0), (file.path.name, ended.out, ended.err)
        result.refreshed = result.run("refresh")
        assert result.refreshed.code == 0, result.refreshed.err
        result.asked = guard.refused
        yield result
