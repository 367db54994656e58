"""A guard that no Python process below it can go around: every name and address but loopback is noted and refused."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# Runs before anything else in every Python process that finds it on its path. An audit hook hears the C level too,
# and cannot be taken off again.
SITECUSTOMIZE = """
import os, sys

LOOPBACK = ("", "localhost", "::1", "0.0.0.0", "::")

def _refuse(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        asked = arguments[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        asked = address[0] if isinstance(address, tuple) else None
    else:
        return
    name = asked.decode() if isinstance(asked, bytes) else asked
    if name is None or name in LOOPBACK or name.startswith("127."):
        return
    with open(os.environ["NETWORK_RECORD"], "a") as record:
        record.write(f"{event} {name}\\n")
    raise OSError(f"refused by the test: {name}")

sys.addaudithook(_refuse)
"""


@dataclass(frozen=True)
class Guard:
    """The guard, kept in one folder; what it refused stands in its record."""

    folder: Path

    def environment(self) -> dict[str, str]:
        """What a process needs to be guarded, its children too. Switches that we set ourselves are taken out."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "sitecustomize.py").write_text(SITECUSTOMIZE)
        self.record.touch()
        beside = os.environ.get("PYTHONPATH")
        return {
            "PYTHONPATH": os.pathsep.join([str(self.folder), *([beside] if beside else [])]),
            "NETWORK_RECORD": str(self.record),
        }

    @property
    def record(self) -> Path:
        """Where it writes what it refused."""
        return self.folder / "record.txt"

    @property
    def refused(self) -> list[str]:
        """What it refused: the event and the name."""
        return self.record.read_text().splitlines()
