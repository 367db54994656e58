"""Every environment variable, read here and nowhere else; every path of the store's state, named once."""

from __future__ import annotations

import datetime as dt
import getpass
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

PROJECT_ROOT = Path(__file__).resolve().parents[1]
DBT_PROJECT = PROJECT_ROOT / "dbt_project"
EXPECTATIONS = PROJECT_ROOT / "expectations"
GOVERNANCE = PROJECT_ROOT / "governance"
FEEDS = PROJECT_ROOT / "pipelines" / "defs" / "feeds"
LONDON = ZoneInfo("Europe/London")
# What DuckDB may hold in memory when `DATASTORE_MEMORY` does not say; Python and dbt take half a gigabyte beside it,
# and DuckDB goes over it by as much again where it writes large tables.
MOST_MEMORY = 5 * 1024**3 // 2
LEAST_MEMORY = 256 * 1024**2
CONTROL_GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")

# Nothing phones home; Dagster's own switch is in dagster.yaml, this one covers runs without an instance.
QUIET = {
    "DO_NOT_TRACK": "1",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "GX_ANALYTICS_ENABLED": "false",
}


class Unusable(Exception):
    """An environment variable that holds something else than it should; one line that names it."""


@dataclass(frozen=True)
class Settings:
    """Where the store keeps its state (`home`) and its keys (`keys`); nothing is written elsewhere."""

    home: Path
    keys: Path

    @property
    def landing(self) -> Path:
        """Sealed originals and their manifests."""
        return self.home / "landing"

    @property
    def accepted(self) -> Path:
        """Typed rows of accepted batches, encrypted Parquet."""
        return self.home / "accepted"

    @property
    def quarantine(self) -> Path:
        """Why and where a batch was refused; never a value."""
        return self.home / "quarantine"

    @property
    def operations(self) -> Path:
        """Records about batches, checks and releases, as dbt sources."""
        return self.home / "operations"

    @property
    def build(self) -> Path:
        """The encrypted build database: the pipeline's alone."""
        return self.home / "build" / "build.duckdb"

    @property
    def internal_build(self) -> Path:
        """The marts of person-level feeds, encrypted under the internal tier's key: published as a copy of the file."""
        return self.home / "build" / "internal.duckdb"

    @property
    def landing_gate(self) -> Path:
        """Digests of what was asked of profiles of person-level files and kept its rule."""
        return self.home / "build" / "landing_gate.json"

    @property
    def release_gate(self) -> Path:
        """Digests of what kept each release rule the last time."""
        return self.home / "build" / "release_gate.json"

    @property
    def published(self) -> Path:
        """Releases, and the link `current` to the one that is served."""
        return self.home / "published"

    @property
    def inbox(self) -> Path:
        """Where a supplier's file may be dropped: `inbox/<feed>/<file>`."""
        return self.home / "inbox"

    @property
    def audit(self) -> Path:
        """The append-only trail of who took which original and who asked what of the internal tier."""
        return self.home / "audit" / "trail.jsonl"

    @property
    def last_refresh(self) -> Path:
        """How the last refresh went."""
        return self.home / "last_refresh.json"

    @property
    def generation(self) -> int:
        """The number of the keys under which everything made from the originals is encrypted now."""
        path = self.home / "generation"
        return int(path.read_text()) if path.exists() else 1

    @property
    def retention(self) -> Path:
        """Plans of destroying or returning, their approvals, and how far their executions are."""
        return self.home / "retention"

    @property
    def certificates(self) -> Path:
        """The public log: a certificate for each dataset that ended."""
        return self.published / "certificates"

    @property
    def run_lock(self) -> Path:
        """Held by the run that refreshes, from its start to its end."""
        return self.locks / "run"

    @property
    def temporary(self) -> Path:
        """Spill and half-written files; always safe to remove while nothing runs."""
        return self.home / "tmp"

    @property
    def locks(self) -> Path:
        """Lock files: one receiver and one refresh at a time."""
        return self.home / "locks"

    @property
    def dagster(self) -> Path:
        """Dagster's instance: runs, events, schedules."""
        return self.home / "dagster"

    @property
    def dbt_target(self) -> Path:
        """What dbt compiles."""
        return self.home / "dbt" / "target"

    @property
    def dbt_logs(self) -> Path:
        """What dbt logs."""
        return self.home / "dbt" / "logs"


def load() -> Settings:
    """The settings of this process: `DATASTORE_HOME` (default `.datastore/` in the checkout), `DATASTORE_KEYS`."""
    home = Path(os.environ.get("DATASTORE_HOME") or PROJECT_ROOT / ".datastore").expanduser().absolute()
    keys = Path(os.environ.get("DATASTORE_KEYS") or home / "keys").expanduser().absolute()
    return Settings(home=home, keys=keys)


def governance() -> Path:
    """The folder of the governance records: `DATASTORE_GOVERNANCE` (default `governance/` in the checkout)."""
    return Path(os.environ.get("DATASTORE_GOVERNANCE") or GOVERNANCE).expanduser().absolute()


def now() -> dt.datetime:
    """The store's one clock, in UTC: `DATASTORE_NOW` (an ISO instant, to replay a day) or else the real one.

    The day of receipt, the legal basis and the release are decided by it; durations and the audit trail are not.
    Raises `Unusable` when the variable holds no instant.
    """
    told = os.environ.get("DATASTORE_NOW")
    if not told:
        return dt.datetime.now(dt.UTC)
    try:
        instant = dt.datetime.fromisoformat(told)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Unusable("DATASTORE_NOW holds no instant such as 2020-06-01T02:30:00Z (with Z or an offset)")
    return instant.astimezone(dt.UTC)


def today() -> dt.date:
    """The day in England by the store's clock."""
    return now().astimezone(LONDON).date()


def root_key_source() -> str | None:
    """Where the root key of the key store is: `DATASTORE_ROOT_KEY`, None for the file root.key in the key store.

    `file:PATH`, `env:NAME` (a variable that holds it) or `command:PROGRAM ARGUMENTS` (a program that prints it, such as
    the client of a key management service); never the key itself. Raises `Unusable` for anything else.
    """
    told = os.environ.get("DATASTORE_ROOT_KEY")
    if told and not re.fullmatch(r"(file|command):\S.*|env:[A-Za-z_][A-Za-z0-9_]*", told):
        raise Unusable("DATASTORE_ROOT_KEY says where the root key is: file:PATH, env:NAME or command:PROGRAM")
    return told or None


def memory() -> int:
    """Bytes that one DuckDB may hold: `DATASTORE_MEMORY`, such as 2GB, else the smaller of 2.5 GiB and half the memory.

    What does not fit is spilled, encrypted, to the store's temporary folder. Raises `Unusable` for no size, or one
    below 256 MiB.
    """
    told = os.environ.get("DATASTORE_MEMORY")
    if not told:
        return max(min(MOST_MEMORY, _memory_of_machine() // 2), LEAST_MEMORY)
    size = re.fullmatch(r"(\d+(?:\.\d+)?) ?([MG])(i?)B", told)
    if size is None:
        raise Unusable("DATASTORE_MEMORY holds no size such as 2GB, 1.5GiB or 800MB")
    base, power = (1024 if size[3] else 1000), {"M": 2, "G": 3}[size[2]]
    limit = int(float(size[1]) * base**power)
    if limit < LEAST_MEMORY:
        raise Unusable("DATASTORE_MEMORY is too small: DuckDB needs 256MiB or more")
    return limit


def threads() -> int:
    """Threads that one DuckDB may use: one a processor, as long as each has 256 MiB of its memory."""
    return max(1, min(os.cpu_count() or 1, memory() // LEAST_MEMORY))


def _memory_of_machine() -> int:
    """Bytes of memory of this machine, or of the container that we run in."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(whole, int(CONTROL_GROUP_LIMIT.read_text()))
    except (OSError, ValueError):  # no such limit
        return whole


def prepare(settings: Settings) -> None:
    """Make the private state folder and set what the tools we run read from their environment.

    Raises `Unusable` when the clock or the memory is set to what they cannot be.
    """
    now()
    memory()
    root_key_source()
    private = (
        settings.keys,
        settings.landing,
        settings.accepted,
        settings.quarantine,
        settings.operations,
        settings.build.parent,
        settings.audit.parent,
        settings.inbox,
        settings.temporary,
        settings.locks,
        settings.dagster,
        settings.dbt_target.parent,
    )
    # Analysts under other accounts pass through the home to `published`, and see nothing else of it.
    for folder, mode in [(settings.home, 0o711), *((path, 0o700) for path in private), (settings.published, 0o755)]:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
    os.environ.update(QUIET)
    os.environ["DATASTORE_HOME"] = str(settings.home)
    os.environ["DATASTORE_KEYS"] = str(settings.keys)
    if os.environ.get("DATASTORE_GOVERNANCE"):
        os.environ["DATASTORE_GOVERNANCE"] = str(governance())
    os.environ["DAGSTER_HOME"] = str(settings.dagster)
    os.environ["DBT_TARGET_PATH"] = str(settings.dbt_target)
    os.environ["DBT_LOG_PATH"] = str(settings.dbt_logs)
    # Libraries make temporary files too; those may hold rows, so they stay within the store.
    os.environ["TMPDIR"] = str(settings.temporary)
    tempfile.tempdir = str(settings.temporary)


def current_user() -> str:
    """The account that runs this process, for manifests and the audit trail."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such account: a container that runs under a bare number
        return f"uid {os.getuid()}"


def program(name: str) -> Path:
    """A program that is installed beside this Python, whatever the PATH says."""
    return Path(sys.executable).parent / name
