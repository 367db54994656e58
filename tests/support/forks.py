"""Commands that start at once: a process that has imported everything already, and forks for each of them.

Most of a command's seconds are imports. A command run here is a process of its own like any other, with its own
environment and input, which can be killed like any other; only its imports were done before.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from pipelines.settings import PROJECT_ROOT
from tests.support.stores import Store
from tests.support.supplied import lend_parsed

CLI = "pipelines.cli"
IMPORTED = (
    *("great_expectations", "dagster", "dagster_dbt", "dbt.cli.main", "dbt.adapters.duckdb"),
    *("pipelines.intake", "pipelines.refresh"),
)

HANGS_AFTER_SECONDS = 600

# The first module's `main` is the command. What was imported is no garbage: no child need look through it.
SERVER = """
import gc, importlib, json, os, sys
command, *_ = [importlib.import_module(module) for module in sys.argv[1:]]
gc.freeze()
print("ready", flush=True)
for line in sys.stdin:
    words, environment, output = json.loads(line)
    child = os.fork()
    if not child:
        os.setsid()
        os.dup2(os.open(f"{output}.in", os.O_RDONLY), 0)
        sys.stdin = open(0, closefd=False)
        for descriptor, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{output}.{name}", os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        sys.argv = ["datastore", *words]
        code = 1
        try:
            code = command.main() or 0
        except SystemExit as leaves:
            code = leaves.code or 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
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

    def wait(self, at_most: float = HANGS_AFTER_SECONDS) -> Ended:
        """Wait for its end. One that takes longer, or hangs, is killed, so that the test that waits can say so."""
        watch = threading.Timer(at_most, self.kill)
        watch.start()
        code = int(self._commands.line())
        watch.cancel()
        seconds = time.monotonic() - self._started
        texts = [Path(f"{self._output}.{name}").read_text() for name in ("out", "err")]
        return Ended(code, *texts, seconds)


class Commands:
    """A command on whichever store, one at a time: `datastore`, or the `main` of another module.

    `outputs` is the folder that keeps what the commands print; `environment` holds for all of them. They run in
    `checkout`, and with the code that is there.
    """

    def __init__(
        self,
        outputs: Path,
        *,
        command: str = CLI,
        imported: tuple[str, ...] = IMPORTED,
        checkout: Path = PROJECT_ROOT,
        **environment: str,
    ) -> None:
        self._outputs, self._count = outputs, 0
        self._before = dict(os.environ)
        self._own, self._checkout = environment, checkout
        outputs.mkdir(parents=True, exist_ok=True)
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER, command, *imported],
            env={**self._before, **environment},
            cwd=checkout,
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

    def start(
        self, store: Store, *words: str | Path, stdin: str = "", changed: Mapping[str, str] | None = None
    ) -> Running:
        """Start `datastore WORDS`; `changed` are further environment variables, `stdin` is what it is told."""
        if words[:1] == ("refresh",) and self._checkout == PROJECT_ROOT:
            lend_parsed(store.settings.dbt_target)
        self._count += 1
        output = self._outputs / str(self._count)
        Path(f"{output}.in").write_text(stdin)
        asked = json.dumps([[str(word) for word in words], self._differences(store, changed or {}), str(output)])
        assert self._server.stdin
        self._server.stdin.write(asked + "\n")
        self._server.stdin.flush()
        return Running(self, str(output))

    def run(self, store: Store, *words: str | Path, stdin: str = "", changed: Mapping[str, str] | None = None) -> Ended:
        """Run `datastore WORDS` to its end."""
        return self.start(store, *words, stdin=stdin, changed=changed).wait()

    def _differences(self, store: Store, changed: Mapping[str, str]) -> dict[str, str | None]:
        """What is another in this process now than when the server was started, the store's variables, and `changed`.

        None is a variable that is no more.
        """
        wanted = {**store.environment, **changed}
        gone = dict.fromkeys(self._before.keys() - wanted.keys() - self._own.keys())
        return gone | {
            name: value
            for name, value in wanted.items()
            if self._before.get(name) != value and (name in changed or name not in self._own)
        }


@cache
def shared() -> Commands:
    """The `datastore` command of this checkout for every test of the run; ends with it."""
    outputs = tempfile.TemporaryDirectory(prefix="datastore-commands-")
    commands = Commands(Path(outputs.name))
    commands.__enter__()
    atexit.register(outputs.cleanup)
    atexit.register(commands.__exit__, None, None, None)
    return commands
