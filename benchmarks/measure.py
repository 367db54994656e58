"""What a command costs: processor seconds and memory of all its processes, and wall clock.

Processor seconds are user and system time that the kernel booked on the command and on everything it started. Orphans
count too (Spark leaves its JVM behind): this process adopts and awaits them. Ratios are of processor seconds, because
they stand when other work runs beside; wall clock does not.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36
EVERY = 0.2
"""Seconds between two looks at the memory: one look reads all of /proc, so more would cost what they measure."""
LONGEST_ORPHAN = 30.0


class Failed(Exception):
    """A measured command that did not do its work; says which, and where its output is."""


@dataclass(frozen=True)
class Cost:
    """Processor seconds, wall seconds, and the highest resident memory in bytes."""

    cpu: float
    wall: float
    peak: int

    def __add__(self, other: Cost) -> Cost:
        """One after the other: times add up, memory does not."""
        return Cost(self.cpu + other.cpu, self.wall + other.wall, max(self.peak, other.peak))

    def __truediv__(self, times: float) -> Cost:
        """The mean of so many runs."""
        return Cost(self.cpu / times, self.wall / times, self.peak)

    def __mul__(self, times: int) -> Cost:
        """So many runs."""
        return Cost(self.cpu * times, self.wall * times, self.peak)

    def __sub__(self, start_up: Cost) -> Cost:
        """What is left when a start-up is set apart. Memory stays: it cannot be set apart."""
        return Cost(self.cpu - start_up.cpu, self.wall - start_up.wall, self.peak)


NOTHING = Cost(0.0, 0.0, 0)


def measured(command: Sequence[str], log: Path, environment: Mapping[str, str], folder: Path) -> Cost:
    """Run a command to its end and say what it cost; its output goes to `log`. Raises `Failed` when it fails."""
    _adopt_orphans()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=folder
        )
        memory = _Memory(process.pid)
        memory.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        memory.stop()
        cpu = used.ru_utime + used.ru_stime + _orphans()
    if process.returncode:
        raise Failed(f"exit {process.returncode} of {' '.join(command[:6])} ...: see {log}")
    # The kernel's own peak is of the largest single process, to the page; the samples are of all together. A process
    # that has not outgrown the one that started it has the peak of that one.
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    largest = used.ru_maxrss * 1024 if used.ru_maxrss > ours else 0
    return Cost(cpu, wall, max(memory.peak, largest))


class _Memory(threading.Thread):
    """Watches the resident memory of a process and all below it."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._pid = pid
        self._over = threading.Event()

    def run(self) -> None:
        """Look until stopped."""
        while not self._over.wait(EVERY):
            self.peak = max(self.peak, _resident(self._pid))

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()


def _resident(pid: int) -> int:
    total = 0
    try:
        top = psutil.Process(pid)
        for process in [top, *top.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
    except psutil.Error:
        return total
    return total


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _orphans() -> float:
    """Processor seconds of what outlived the command that started it, once it has ended too."""
    cpu, until = 0.0, time.monotonic() + LONGEST_ORPHAN
    while time.monotonic() < until:
        try:
            pid, _, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return cpu
        if pid:
            cpu += used.ru_utime + used.ru_stime
        else:
            time.sleep(0.05)
    raise Failed(f"a process that the command left behind still runs after {LONGEST_ORPHAN:.0f} s")
