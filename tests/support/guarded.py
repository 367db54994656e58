"""A store that is filled and published under guard, with marks planted in what it gets."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.settings import Settings
from tests.support.canaries import Planted
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
