"""Keys: which wraps which, what a crash and a rotation leave, and what the register and the trail say of them."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from pipelines.adapters import audit
from pipelines.adapters.keys import KeyMissing, KeyStore
from pipelines.settings import Settings

DIGEST = "ab" * 32


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """An empty store and its key store."""
    settings = Settings(home=tmp_path / "home", keys=tmp_path / "keys")
    settings.keys.mkdir()
    return settings


def test_a_key_that_a_killed_process_left_half_made_is_removed(here: Settings) -> None:
    """It may hold the key itself: a copy that outlives its destruction."""
    (here.keys / ".derived.1.key.0af3").write_text("half")
    made = KeyStore(here).derived()
    assert {path.name for path in here.keys.glob("*.key")} == {"derived.1.key", "root.key"}
    assert not list(here.keys.glob(".*"))
    assert KeyStore(here).derived() == made
    assert all(path.stat().st_mode & 0o777 == 0o400 for path in here.keys.glob("*.key"))


def test_a_key_file_is_wrapped(here: Settings) -> None:
    """By the root key: alone it opens nothing, under another root neither."""
    made = KeyStore(here).derived()
    written = base64.b64decode((here.keys / "derived.1.key").read_text())
    assert made.secret not in written and len(written) == 40
    (here.keys / "root.key").chmod(0o600)
    (here.keys / "root.key").write_text(base64.b64encode(bytes(32)).decode())
    with pytest.raises(KeyMissing, match=r"derived\.1"):
        KeyStore(here).derived()
    (here.keys / "root.key").unlink()
    with pytest.raises(KeyMissing, match="root key"):
        KeyStore(here).derived()
    assert not (here.keys / "root.key").exists()


SOURCES = {
    "env": "env:STORE_ROOT",
    "command": f"command:{sys.executable} -c \"import os; print(os.environ['STORE_ROOT'])\"",
    "file": "file:{folder}/elsewhere.key",
}


@pytest.mark.parametrize("kind", SOURCES)
def test_the_root_key_may_come_from_outside(here: Settings, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """From a variable, from the program of a key management service, or from a file elsewhere."""
    monkeypatch.setenv("STORE_ROOT", base64.b64encode(os.urandom(32)).decode())
    monkeypatch.setenv("DATASTORE_ROOT_KEY", SOURCES[kind].format(folder=here.keys.parent))
    made = KeyStore(here).derived()
    assert KeyStore(here).derived() == made and not (here.keys / "root.key").exists()
    monkeypatch.delenv("DATASTORE_ROOT_KEY")
    with pytest.raises(KeyMissing):
        KeyStore(here).derived()


def test_a_root_key_that_does_not_come_is_said_in_one_line(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word of what the program printed."""
    for source in ("env:NO_SUCH_VARIABLE", "command:false", f"command:{sys.executable} -c print('hunter2')"):
        monkeypatch.setenv("DATASTORE_ROOT_KEY", source)
        with pytest.raises(KeyMissing) as raised:
            KeyStore(here).derived()
        assert "root key" in str(raised.value) and "\n" not in str(raised.value)
        assert "hunter2" not in str(raised.value).replace(source, "")


def batch(keys: KeyStore) -> bytes:
    """The secret of the one batch key, through the key of its feed."""
    return keys.batch("feed_a", DIGEST, "feed.feed_a.agreement").secret


@pytest.mark.parametrize("name", ["root", "feed.feed_a.agreement"])
def test_a_rotation_changes_what_wraps_and_not_what_is_wrapped(here: Settings, name: str) -> None:
    """Wherever it was killed: files of before, some of after, or all but the last step."""
    keys = KeyStore(here)
    keys.keep_batch("feed_a", DIGEST, b"s" * 32, keys.for_feed("feed_a", "agreement", set()))
    keys.derived()
    before = {path: path.read_bytes() for path in here.keys.rglob("*.key")}
    derived = keys.derived().secret
    keys.rotate(name, "a test")
    after = {path: path.read_bytes() for path in here.keys.rglob("*.key")}
    changed = [path for path in before if before[path] != after[path]]
    assert len(changed) == (3 if name == "root" else 2)
    for killed_after in range(len(changed)):
        state = shutil.copytree(here.keys, here.keys.parent / f"killed{killed_after}")
        wrapping = state / f"{name}.key"
        os.replace(wrapping, wrapping.with_name(wrapping.name + ".next"))
        for path in sorted(changed, key=lambda path: path.name == f"{name}.key")[killed_after:]:
            there = state / path.relative_to(here.keys)
            there.unlink(missing_ok=True)
            there.write_bytes(before[path])
        left = KeyStore(Settings(home=here.home, keys=state))
        assert batch(left) == b"s" * 32 and left.derived().secret == derived
        left.rotate(name, "again")
        assert batch(left) == b"s" * 32 and left.derived().secret == derived
        assert not list(state.rglob("*.next"))


def test_a_destroyed_key_is_gone_and_its_end_is_told(here: Settings) -> None:
    """Once, however often it is asked for; register and trail know which key it was, and neither knows the key."""
    keys = KeyStore(here)
    made = keys.derived()
    [entry] = keys.destroy(["derived.1"], "the agreement ended")
    assert keys.destroy(["derived.1"], "again") == [entry]
    assert entry["fingerprint"] == made.fingerprint and entry["algorithm"] == made.algorithm
    assert not keys.exists("derived.1") and [one["event"] for one in keys.register()] == ["created", "destroyed"]
    told = (here.keys / "register.jsonl").read_bytes() + here.audit.read_bytes()
    assert made.text.encode() not in told and made.secret.hex().encode() not in told and b"the agreement ended" in told
    assert audit.problems(here) == []


def lines(here: Settings) -> list[bytes]:
    """The trail, line by line."""
    return here.audit.read_bytes().splitlines(keepends=True)


DAMAGES = {
    "changed": lambda of: [of[0], of[1].replace(b'"n": 1', b'"n": 7'), *of[2:]],
    "taken out": lambda of: [of[0], *of[2:]],
    "swapped": lambda of: [of[1], of[0], *of[2:]],
    "cut at the end": lambda of: of[:-1],
    "half a line": lambda of: [*of[:-1], of[-1][:20]],
    "written anew": lambda of: [of[0]],
    "all gone": lambda of: [],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_trail_that_was_touched_shows(here: Settings, damage) -> None:  # type: ignore[no-untyped-def]
    """Each way of touching it; untouched it is whole."""
    for number in range(4):
        audit.record(here, "query", n=number)
    assert audit.problems(here) == [] and audit.head(here)["number"] == 4
    here.audit.write_bytes(b"".join(damage(lines(here))))
    assert audit.problems(here)


def test_a_line_that_a_killed_process_left_half_written_is_cut_off(here: Settings) -> None:
    """Nothing happened of what it would have told."""
    audit.record(here, "query", n=1, text="x" * 200_000)
    with here.audit.open("ab") as trail:
        trail.write(b'{"number": 2, "at"')
    audit.record(here, "query", n=2)
    assert [json.loads(line)["n"] for line in lines(here)] == [1, 2] and audit.problems(here) == []
