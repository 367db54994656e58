"""Whatever is sent: accepted, quarantined or refused in clear lines, its bytes kept, and nothing else harmed."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines import originals
from pipelines.adapters import catalogue
from pipelines.adapters.landing import Landing
from pipelines.domain.refusals import MOST_LINES, printable
from pipelines.intake import Arrival, receive
from tests.support.hostile import (
    ACCEPTED,
    CANARY,
    HOSTILE_NAMES,
    QUARANTINED,
    Case,
    april,
    cases,
    with_preamble,
)
from tests.support.stores import Store

EXIT_OF = {ACCEPTED: 0, QUARANTINED: 3}
NAME_OF_EVERY_ORGANISATION = "FICTIONAL"


@dataclass
class Received:
    """A store, the folder that its files came from, and what became of each, by feed and file name."""

    root: Path
    store: Store
    arrivals: dict[tuple[str, str], Arrival] = field(default_factory=dict)

    def of(self, case: Case) -> Arrival:
        """What became of one case."""
        return self.arrivals[case.feed, printable(case.file)]

    def folder(self, feed: str, verdict: str) -> Path:
        """Where the cases of a feed lie that are to end alike."""
        return self.root / "supplied" / feed / verdict


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Received:
    """A store that got every case, a folder for each feed and expected verdict."""
    root = tmp_path_factory.mktemp("hostile")
    result = Received(root, Store(root / "store"))
    for case in cases():
        folder = result.folder(case.feed, case.verdict)
        folder.mkdir(parents=True, exist_ok=True)
        Path(folder / case.file).write_bytes(case.content)
    # In this process, as the inbox does it: what judges is imported once.
    for feed, verdict in _groups():
        folder = str(result.folder(feed, verdict))
        for arrival in receive(result.store.settings, catalogue.feeds()[feed], [folder]):
            result.arrivals[feed, arrival.file] = arrival
    return result


def _groups() -> dict[tuple[str, str], None]:
    return dict.fromkeys((case.feed, case.verdict) for case in cases())


def _run(store: Store, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command; a traceback is a failure whatever was asked."""
    done = store.run(*map(str, arguments))
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.feed}: {case.wrong}")
def test_each_kind_ends_as_it_should(received: Received, case: Case) -> None:
    """The verdict; a reason that says what is wrong within the lines that are printed; never a value."""
    arrival = received.of(case)
    lines = arrival.reasons + arrival.warnings
    assert arrival.verdict == case.verdict, lines
    assert bool(arrival.reasons) == (case.verdict == QUARANTINED)
    assert case.says in "\n".join(lines[:MOST_LINES]), lines[:MOST_LINES]
    for line in lines:
        assert CANARY not in line
        assert NAME_OF_EVERY_ORGANISATION not in line
        assert _controls(line) == set()
        assert len(line) < 400


def test_every_original_comes_back(received: Received, tmp_path: Path) -> None:
    """Sealed before anything was parsed: the bytes are the supplier's, whatever the verdict."""
    for number, case in enumerate(cases()):
        output = tmp_path / str(number)
        originals.write(received.store.settings, str(received.of(case).sha256), output)
        assert output.read_bytes() == case.content, case.wrong


def test_a_batch_is_its_bytes(received: Received) -> None:
    """One batch for the same bytes of a feed, however named and often sent; another for other bytes."""
    digests = {(case.feed, hashlib.sha256(case.content).hexdigest()) for case in cases()}
    held = Landing(received.store.settings).batches()
    assert {(batch.feed, batch.sha256) for batch in held} == digests
    assert Counter(batch.verdict for batch in held)["pending"] == 0
    again = received.of(_case("same bytes under another name"))
    first = received.of(_case("good"))
    assert (again.sha256, {again.already_held, first.already_held}) == (first.sha256, {True, False})
    assert received.of(_case("same period with other content")).sha256 != first.sha256


@pytest.mark.parametrize(("feed", "verdict"), _groups())
def test_what_is_printed_is_printable(received: Received, feed: str, verdict: str) -> None:
    """The command, on files that are held: the verdict's exit code, one line a file and few reasons below it.

    No control character, no mark-up of a supplier's, nothing of the content.
    """
    folder = received.folder(feed, verdict)
    done = _run(received.store, "receive", feed, folder)
    lines = done.stdout.splitlines()
    heads = [line for line in lines if line.startswith(f"{verdict}  ")]
    sent = [case for case in cases() if (case.feed, case.verdict) == (feed, verdict)]
    assert done.returncode == EXIT_OF[verdict]
    assert len(heads) == len(sent)
    assert all("already held" in line for line in heads)
    assert all(any(line.startswith(f"{verdict}  {printable(case.file)} (") for line in heads) for case in sent)
    assert _controls(done.stdout + done.stderr) <= {"\n"}
    assert CANARY not in done.stdout
    assert NAME_OF_EVERY_ORGANISATION not in done.stdout


def test_status_names_what_waits(received: Received) -> None:
    """Every quarantined file with its reason, printable and without values."""
    done = _run(received.store, "status", "--json")
    waiting = json.loads(done.stdout)["quarantine"]
    expected = {
        (case.feed, hashlib.sha256(case.content).hexdigest()) for case in cases() if case.verdict == QUARANTINED
    }
    assert {(one["feed"], one["sha256"]) for one in waiting} == expected
    assert all(one["reason"] for one in waiting)
    assert CANARY not in done.stdout
    assert NAME_OF_EVERY_ORGANISATION not in done.stdout
    assert _controls(_run(received.store, "status").stdout) <= {"\n"}


# What lies in a folder that is received, in order of name, and what is said of it.
BOX = {
    "endless": "a symlink, not",
    "folder": "a folder, not",
    "link": "a symlink, not",
    "lost": "a symlink, not",
    "pipe": "a pipe, not",
    "socket": "a socket, not",
}


@pytest.fixture
def no_inputs(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Things that can be named and are no plain file, each with what is to be said of it."""
    (tmp_path / "april.csv").write_bytes(with_preamble("behind a link"))
    box = tmp_path / "box"
    (box / "folder").mkdir(parents=True)
    (box / "link").symlink_to(tmp_path / "april.csv")
    (box / "lost").symlink_to(tmp_path / "nowhere")
    (box / "endless").symlink_to("/dev/zero")
    os.mkfifo(box / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.open(box, os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{here}/socket")  # a socket's own path may not be long
        os.close(here)
        yield {
            **{str(box / name): says for name, says in BOX.items()},
            str(box / "folder"): "an empty folder",
            "/dev/zero": "a device, not",
            "": "",
            str(tmp_path / "april.csv" / "inside"): "no such file",
            str(tmp_path / "no\x1b[2Jwhere"): "no file matches",
            "x" * 5000: "no such file",
            str(tmp_path / "[a-c]*.xlsx"): "no file matches",
            "carrier-pigeon://host/april.csv": "Protocol not known",
            "https://nowhere.invalid/april.csv?key=987654321": "cannot be",
        }


def test_what_is_no_plain_file_is_no_input(received: Received, no_inputs: dict[str, str], tmp_path: Path) -> None:
    """Named, refused with 2, nothing kept; inside a folder and named outright alike."""
    before = len(Landing(received.store.settings).batches())
    done = _run(received.store, "receive", "ae_monthly", *no_inputs, tmp_path / "box", "--json")
    arrivals = json.loads(done.stdout)
    assert done.returncode == 2
    assert [arrival["verdict"] for arrival in arrivals] == ["no input"] * len([*no_inputs, *BOX])
    for arrival, says in zip(arrivals, [*no_inputs.values(), *BOX.values()], strict=True):
        [reason] = arrival["reasons"]
        assert says in reason
        assert _controls(arrival["file"] + reason) == set()
        assert CANARY not in arrival["file"] + reason
    assert len(Landing(received.store.settings).batches()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("receive", "ae_monthly/", "FILE"),
        ("receive", "../feeds/ae_monthly", "FILE"),
        ("receive", "\x1b[2J", "FILE"),
        ("receive", "ae_monthly", "FILE", "--published", "\x1b[2J"),
        ("original", "../../etc/passwd", "--output", "FILE"),
    ],
    ids=" ".join,
)
def test_bad_words_are_refused_in_one_line(received: Received, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Usage errors end with 2 and one printable line, before anything is taken in or written."""
    path = tmp_path / "april.csv"
    path.write_bytes(april())
    done = _run(received.store, *(str(path) if word == "FILE" else word for word in arguments))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert _controls(done.stderr) == {"\n"}
    assert path.read_bytes() == april()


def test_a_good_file_is_accepted_after_all_that(received: Received, tmp_path: Path) -> None:
    """The store that saw everything above takes in the next good file, and gives it back by the command."""
    path = tmp_path / "April-2020-revised-020520-zz003.csv"
    path.write_bytes(with_preamble("the next good file"))
    done = _run(received.store, "receive", "ae_monthly", path, "--json")
    [arrival] = json.loads(done.stdout)
    assert (done.returncode, arrival["verdict"], arrival["known_from"][:10]) == (0, ACCEPTED, "2020-05-02")
    back = tmp_path / "back.csv"
    assert _run(received.store, "original", arrival["sha256"], "--output", back).returncode == 0
    assert back.read_bytes() == path.read_bytes()


def test_no_name_leads_out_of_the_store(received: Received) -> None:
    """Nothing lies beside the store, and below it no file bears a supplier's name or an entry's of an archive."""
    assert {path.name for path in received.root.iterdir()} == {"store", "supplied"}
    names = {path.name for path in received.store.settings.home.rglob("*")}
    assert not names & {*HOSTILE_NAMES.values(), "escaped.txt", "escaped", "passwd.csv", "windows.csv"}
    assert not Path("/etc/escaped").exists()


def _case(wrong: str) -> Case:
    return next(case for case in cases() if case.wrong == wrong)


def _controls(text: str) -> set[str]:
    return {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
