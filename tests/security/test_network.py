"""Nothing looks up a name or an address, but for what the user asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.guarded import Guarded
from tests.support.network import Guard

LOOK_UPS = """
import _socket, socket, subprocess, sys

socket.getaddrinfo("localhost", 80)
for ask in (
    lambda: socket.getaddrinfo("a.nowhere.invalid", 80),
    lambda: _socket.gethostbyname("b.nowhere.invalid"),
    lambda: _socket.socket().connect(("192.0.2.1", 80)),
):
    try:
        ask()
    except OSError as refused:
        assert "refused by the test" in str(refused), refused
    else:
        sys.exit("was let through")
if sys.argv[1:]:
    sys.exit(subprocess.run([sys.executable, "-c", sys.argv[1]]).returncode)
"""


def test_no_command_asks_the_network(guarded: Guarded) -> None:
    """Receiving every feed and a whole refresh, dbt and all: not one name but loopback."""
    words = {word for ended in guarded.said for word in ended.out.split()}
    assert {"accepted", "quarantined", "published"} <= words
    assert guarded.asked == []


def test_the_guard_bites(tmp_path: Path) -> None:
    """Also in a process below, and past Python's own socket module; loopback is free."""
    guard = Guard(tmp_path)
    environment = {**os.environ, **guard.environment()}
    done = subprocess.run([sys.executable, "-c", LOOK_UPS, LOOK_UPS], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = ["getaddrinfo a.nowhere.invalid", "gethostbyname b.nowhere.invalid", "connect 192.0.2.1"]
    assert guard.refused == [f"socket.{name}" for name in names] * 2


def test_a_url_is_asked_for_and_nothing_else(guarded: Guarded) -> None:
    """A supplier's address is the one name that a command looks up; when it is refused, that is no input."""
    before = len(guarded.guard.refused)
    ended = guarded.run("receive", "ods_trusts", "https://nowhere.invalid/etr.csv")
    assert (ended.code, ended.out.split()[:2]) == (2, ["no", "input"])
    assert {line.split()[1] for line in guarded.guard.refused[before:]} == {"nowhere.invalid"}
