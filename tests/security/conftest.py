"""One store for the tests of custody, network, crashes and readers: to fill and publish it takes half a minute."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.canaries import planted
from tests.support.forks import Commands
from tests.support.guarded import Guarded, KeysApart
from tests.support.network import Guard


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
