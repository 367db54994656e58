"""The verifier passes on an end that is true, and names the reason for each way in which it can be untrue."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from retention_verifier import places
from retention_verifier.__main__ import main
from retention_verifier.needles import Finder, canary
from retention_verifier.verdict import CHECKS
from tests.support import ended_store, sabotages
from tests.support.ended_store import CANARIES, Ended, sealed, wrapped
from tests.support.sabotages import SABOTAGES, Sabotage

Told = Callable[..., tuple[int, dict]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of which something ended, made once."""
    folder = tmp_path_factory.mktemp("ended")
    ended_store.make(folder)
    return folder


@pytest.fixture
def ended(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ended:
    """A copy of it that a test may spoil."""
    for name in ("DATASTORE_HOME", "DATASTORE_KEYS", "DATASTORE_GOVERNANCE", "DATASTORE_ROOT_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("home", "keys", "governance"):
        shutil.copytree(made / name, tmp_path / name, symlinks=True)
    (tmp_path / "canaries.txt").write_text("\n".join(CANARIES) + "\n")
    [certificate] = (tmp_path / "home" / "published" / "certificates").glob("policy-ended-*.json")
    return Ended(
        tmp_path / "home", tmp_path / "keys", tmp_path / "governance", certificate,
        made / "before" / "home", made / "before" / "keys",
    )  # fmt: skip


@pytest.fixture
def told(ended: Ended, capsys: pytest.CaptureFixture[str]) -> Told:
    """What the verifier says: its exit code and its verdict."""

    def run(*more: str, certificate: Path | None = None) -> tuple[int, dict]:
        code = main(["--json", *arguments(ended, certificate), *more])
        return code, json.loads(capsys.readouterr().out)

    return run


def arguments(ended: Ended, certificate: Path | None = None) -> list[str]:
    """The command line for a store."""
    return [
        str(certificate or ended.certificate), "--home", str(ended.home), "--keys", str(ended.keys),
        "--governance", str(ended.governance), "--canaries", str(ended.home.parent / "canaries.txt"),
    ]  # fmt: skip


def test_a_true_end_passes(told: Told) -> None:
    """Nothing speaks against it, and everything was looked at."""
    code, verdict = told()
    assert (code, verdict["reasons"], verdict["passed"]) == (0, [], True)
    looked = verdict["looked_at"]
    assert looked["files"] > 25
    assert looked["databases"] == 5  # two of the build, two of the release, Dagster's
    assert looked["tables"] >= 11
    assert looked["keys"] == 6  # root, signing, two of the generation, one feed and its batch
    assert verdict["not_tried"] == ["backup tape at Vault 2, kept by Backup team: not within reach"]


def test_before_the_end_nothing_passes(ended: Ended, told: Told) -> None:
    """The same certificate on the store as it was."""
    for now, before in ((ended.home, ended.before_home), (ended.keys, ended.before_keys)):
        kept = {
            path: path.read_bytes()
            for path in now.rglob("*")
            if path.suffix in (".json", ".jsonl") or path.name == "audit.head"
        }
        shutil.rmtree(now)
        shutil.copytree(before, now, symlinks=True)
        for path, content in kept.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    code, verdict = told()
    found = {reason["check"] for reason in verdict["reasons"]}
    assert code == 5
    assert found >= {"kept_key", "copied_file", "re_ingested", "old_release", "opens", "canary", "digest_found"}


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda one: one.name)
def test_a_sabotage_is_found(sabotage: Sabotage, ended: Ended, told: Told) -> None:
    """By the check that it breaks, and no value is printed."""
    seeded = CANARIES[2] if sabotage.check == "canary" else CANARIES[0]
    code, verdict = told(*(sabotage.do(ended, seeded) or []))
    assert code == 5
    assert sabotage.check in {reason["check"] for reason in verdict["reasons"]}, verdict["reasons"]
    assert not [mark for mark in CANARIES if mark in json.dumps(verdict, ensure_ascii=False)]
    if sabotage.check == "canary":
        assert all("line 3" in f"{reason['where']} {reason['what']}" for reason in verdict["reasons"]), verdict


def test_every_check_can_fail() -> None:
    """The table above has a sabotage for each; what cannot be read has a test of its own."""
    assert {one.check for one in SABOTAGES} == set(CHECKS) - {"unreadable"}


def test_a_certificate_that_the_public_log_does_not_hold(ended: Ended, told: Told) -> None:
    """Handed over well signed, while the log tells another story."""
    sabotages.hide_from_the_public_log(ended, "")
    code, verdict = told(certificate=ended.home.parent / "handed.json")
    assert (code, {reason["check"] for reason in verdict["reasons"]}) == (5, {"chain"})


def test_an_earlier_certificate_still_passes(ended: Ended, told: Told) -> None:
    """After another end, with its releases gone."""
    [earlier] = ended.certificate.parent.glob("tests-ended-*.json")
    assert told(certificate=earlier)[1]["reasons"] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"{", "no JSON"), (b"[]", "no certificate"), (b'{"body": {}}', "not signed")],
)
def test_no_certificate_is_one_line(
    content: bytes | None, said: str, ended: Ended, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing, or not one at all: a verdict and one reason."""
    path = ended.home.parent / "given.json"
    if content is not None:
        path.write_bytes(content)
    assert main(arguments(ended, path)) == 5
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "verified: given: FAILED"
    assert len(lines) == 2
    assert said in lines[1]


def test_a_body_is_verified_before_it_is_signed(ended: Ended, told: Told) -> None:
    """The same outcome, without signature, chain and trail."""
    body = {name: value for name, value in ended.body.items() if name != "verification"}
    path = ended.home / "retention" / "body.json"
    path.write_text(json.dumps(body))
    log = ended.certificate.parent
    shutil.move(log, ended.home.parent / "log")
    run = ["--body", str(path), *arguments(ended)[1:]]
    assert main(run) == 0
    sabotages.copy_an_original(replace(ended, certificate=ended.home.parent / "log" / ended.certificate.name), "")
    assert main(run) == 5


def test_without_the_root_key(ended: Ended, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is plain is looked at all the same, and it is said what was not tried."""
    monkeypatch.setenv("DATASTORE_ROOT_KEY", "env:NO_SUCH_VARIABLE")
    shutil.move(ended.keys / "root.key", ended.home.parent / "root.elsewhere")
    code, verdict = told()
    assert (code, verdict["looked_at"]["keys"]) == (0, 0)
    assert any("without the root key" in line for line in verdict["not_tried"])
    sabotages.log_a_value(ended, CANARIES[0])
    assert told()[0] == 5


@pytest.mark.parametrize("source", ["env:KEY_FOR_THE_TEST", "command:cat {}", "file:{}"])
def test_where_the_root_key_comes_from(source: str, ended: Ended, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a variable, a program or a file."""
    path = shutil.move(ended.keys / "root.key", ended.home.parent / "root.elsewhere")
    monkeypatch.setenv("KEY_FOR_THE_TEST", Path(path).read_text())
    monkeypatch.setenv("DATASTORE_ROOT_KEY", source.format(path))
    assert told()[1]["looked_at"]["keys"] == 6


def test_what_cannot_be_read_fails(ended: Ended, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zone that this account may not enter is a reason, not a gap. (Root may enter all, so it is told here.)"""
    scandir = os.scandir

    def refused(path: Path) -> object:
        if Path(path).name == "landing":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(places.os, "scandir", refused)
    code, verdict = told()
    assert code == 5
    assert verdict["reasons"] == [
        {"check": "unreadable", "where": "landing", "what": "could not look into it: Permission denied"}
    ]


@pytest.mark.parametrize("action", ["closed: its keys are destroyed", "kept"])
def test_a_backup_of_data(action: str, ended: Ended, told: Told) -> None:
    """One that the approved plan says to be closed may hold sealed copies, another not; a key in it never."""
    folder = ended.home.parent / "tape"
    shutil.copytree(ended.before_home / "landing", folder / "landing")
    row = {"id": "tape", "location": str(folder), "of": "data", "keeper": "Backup team"}
    (ended.governance / "backups.yaml").write_text(yaml.safe_dump({"backups": [row]}))
    body = ended.body
    body["plan"]["backups"] = [{**row, "action": action}]
    ended.certify(body)
    for_the_plan = {"certificate", "approvals"}  # it was changed here, so these speak up
    closed = action.startswith("closed")
    found = {reason["check"] for reason in told()[1]["reasons"]} - for_the_plan
    assert found == (set() if closed else {"backup", "digest_found"})
    shutil.copy(ended.before_keys / "derived.1.key", folder / "landing" / "x")
    assert "kept_key" in {reason["check"] for reason in told()[1]["reasons"]}


def test_a_backup_of_keys(ended: Ended, told: Told) -> None:
    """One that is within reach and holds a destroyed key."""
    folder = ended.home.parent / "safe"
    shutil.copytree(ended.keys, folder)
    row = {"id": "safe", "location": folder.as_uri(), "of": "keys", "keeper": "Key custodian"}
    (ended.governance / "backups.yaml").write_text(yaml.safe_dump({"backups": [row]}))
    assert told()[1]["reasons"] == []
    shutil.copy(ended.before_keys / "internal_tier.1.key", folder)
    assert {reason["check"] for reason in told()[1]["reasons"]} == {"kept_key"}


def test_a_period_that_ended_leaves_the_others(ended: Ended, told: Told) -> None:
    """A batch of another period of the same feed and agreement stays; one that came afterwards does not."""
    body = ended.body
    dataset = body["plan"]["datasets"][0]
    dataset["from"], dataset["to"] = "2020-04-01", "2020-04-30"
    ended.certify(body)
    sabotages.receive_more_of_it(ended, "")
    [manifest] = [path for path in (ended.home / "landing" / dataset["feed"]).glob("*/manifest.json")]
    known = json.loads(manifest.read_text())
    for period, expected in ((("2020-05-01", "2020-05-31"), False), (("2020-04-03", "2020-04-09"), True)):
        manifest.write_text(json.dumps({**known, "period_start": period[0], "period_end": period[1]}))
        assert ("re_ingested" in {reason["check"] for reason in told()[1]["reasons"]}) == expected


def test_a_withdrawal_leaves_its_batches_under_other_bytes(ended: Ended, told: Told) -> None:
    """They stay and are named; not one of the bytes that came, and no key that opened them."""
    body = ended.body
    dataset = ended.dataset
    for one in body["plan"]["datasets"]:
        if one["dataset"] == dataset["dataset"]:
            one["disposition"] = "withdraw"
    ended.certify(body)
    for_the_plan = {"certificate", "approvals"}  # it was changed here, so these speak up

    def found() -> set[str]:
        return {reason["check"] for reason in told()[1]["reasons"]} - for_the_plan

    feed = dataset["feed"]
    for batch in dataset["batches"]:
        sha256, secret = batch["sha256"], os.urandom(32)
        folder = ended.home / "landing" / feed / sha256
        folder.mkdir(parents=True)
        (folder / "original").write_bytes(sealed(secret, b"nhs_number,name\n"))
        (folder / "manifest.json").write_text(json.dumps({**batch, "feed": feed, "agreement": dataset["agreement"]}))
        key = ended.keys / "batches" / feed / f"{sha256}.2.key"
        key.parent.mkdir(parents=True, exist_ok=True)
        key.write_bytes(wrapped(ended.root(), secret))
    assert found() == set()
    # The old original in its place, which nothing opens; then its key, and what that opens.
    path = ended.home / "landing" / feed / ended.batch / "original"
    now = path.read_bytes()
    path.write_bytes((ended.before_home / path.relative_to(ended.home)).read_bytes())
    assert found() == {"copied_file", "opens"}
    shutil.copytree(ended.before_keys / "batches" / feed, ended.keys / "batches" / feed, dirs_exist_ok=True)
    shutil.copy(ended.before_keys / f"feed.{feed}.{dataset['agreement']}.key", ended.keys)
    assert found() == {"copied_file", "opens", "kept_key", "canary"}
    # Rows that came, sealed under the new key.
    path.write_bytes(now)
    for old in (*(ended.before_keys / "batches" / feed).iterdir(), Path(f"feed.{feed}.{dataset['agreement']}.key")):
        (ended.keys / ("batches/" + feed if old.is_absolute() else "") / old.name).unlink()
    assert found() == set()
    path.write_bytes(sealed(secret, f"nhs_number,name\n{CANARIES[0]}\n".encode()))
    key.rename(key.with_name(f"{ended.batch}.2.key"))
    assert found() == {"canary"}


def test_usage(ended: Ended, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be meant is exit code 2, and so is what is not there to be looked into."""
    home = ["--home", str(ended.home)]
    for given in (
        [],
        home,
        ["x.json", "--body", "y.json", *home],
        ["x.json", "--home", "/no/such/home"],
        ["x.json", *home, "--also", "/no/such/folder"],
        ["x.json", *home, "--canaries", "/no/such/file"],
    ):
        with pytest.raises(SystemExit, match="2"):
            main(given)
    capsys.readouterr()


def test_it_runs_on_its_own(ended: Ended) -> None:
    """As a program, and nothing of the pipeline is loaded with it."""
    script = (
        "import sys; from retention_verifier.__main__ import main; code = main(sys.argv[1:]); "
        "loaded = {name.split('.')[0] for name in sys.modules}; "
        "assert not loaded & {'pipelines', 'data', 'dagster'}; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments(ended)], capture_output=True, text=True, check=False,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"verified: {ended.body['certificate_id']}: passed (")


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4_194_299, 4_194_304, 8_388_600])
def test_a_needle_is_found_wherever_it_lies(at: int, tmp_path: Path) -> None:
    """Also across two pieces of a file, and every needle of many."""
    from retention_verifier.needles import Sweep

    finder = Finder([canary(f"needle number {number}", number) for number in range(500)] + [canary("ab", 500)])
    content = bytes(at) + b"needle number 417" + bytes(100)
    sweep = Sweep(finder)
    for start in range(0, len(content), places.CHUNK):
        sweep.feed(content[start : start + places.CHUNK])
    assert {needle.label for needle in sweep.needles} == {"line 417", "line 41", "line 4"}
