"""Commands that start at once: a process that has imported everything already, and forks for each of them.

Most of a command's seconds are imports. A command run here is a process of its own like any other, which can be
killed like any other; only its imports were done before.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pipelines.settings import PROJECT_ROOT
from tests.support.stores import Store

IMPORTED = ("great_expectations", "dagster", "dagster_dbt", "pipelines.cli", "pipelines.intake", "pipelines.refresh")

HANGS_AFTER_SECONDS = 300

SERVER = """
import importlib, json, os, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
from pipelines import cli
print("ready", flush=True)
for line in sys.stdin:
    words, environment, output = json.loads(line)
    child = os.fork()
    if not child:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for descriptor, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{output}.{name}", os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
        os.environ.update(environment)
        sys.argv = ["datastore", *words]
        code = 0
        try:
            cli.main()
        except SystemExit as leaves:
            code = leaves.code or 0
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (minus the signal that killed it), what it printed, the time it took."""

    code: int
    out: str
    err: str
    seconds: float


class Running:
    """A command under way."""

    def __init__(self, commands: Commands, output: str) -> None:
        self._commands, self._output, self._started = commands, output, time.monotonic()
        self.pid = int(commands.line())

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """End it as a power cut would; its own children are left to themselves."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> Ended:
        """Wait for its end. One that hangs is killed, so that the test that waits can say so."""
        watch = threading.Timer(HANGS_AFTER_SECONDS, self.kill)
        watch.start()
        code = int(self._commands.line())
        watch.cancel()
        seconds = time.monotonic() - self._started
        texts = [Path(f"{self._output}.{name}").read_text() for name in ("out", "err")]
        return Ended(code, *texts, seconds)


class Commands:
    """The `datastore` command on whichever store, one at a time; to be used in a `with` block.

    `outputs` is the folder that keeps what the commands print; `environment` holds for all of them.
    """

    def __init__(self, outputs: Path, **environment: str) -> None:
        self._outputs, self._count = outputs, 0
        outputs.mkdir(parents=True, exist_ok=True)
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER, *IMPORTED],
            env={**os.environ, **environment},
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self.line() == "ready"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server.stdin
        self._server.stdin.close()
        self._server.wait()

    def line(self) -> str:
        """The next line that the server says."""
        assert self._server.stdout
        return self._server.stdout.readline().strip()

    def start(self, store: Store, *words: str | Path) -> Running:
        """Start `datastore WORDS`."""
        self._count += 1
        output = str(self._outputs / str(self._count))
        changed = {name: value for name, value in store.environment.items() if os.environ.get(name) != value}
        assert self._server.stdin
        self._server.stdin.write(json.dumps([[str(word) for word in words], changed, output]) + "\n")
        self._server.stdin.flush()
        return Running(self, output)

    def run(self, store: Store, *words: str | Path) -> Ended:
        """Run `datastore WORDS` to its end."""
        return self.start(store, *words).wait()
