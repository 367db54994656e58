"""The key store: which key wraps which, one small file a key, made once and never overwritten.

    root key            from a file, an environment variable or a program (`DATASTORE_ROOT_KEY`); wraps the next line
    <name>.key          feed.<feed>.<agreement>, derived.<n>, internal_tier.<n>, pseudonym.1, signing.1,
                        withdrawal.<id>
    batches/<feed>/     <sha256>.key: the key of one sealed file, wrapped by the key of its feed and agreement;
                        <sha256>.<n>.key when it was sealed anew without the rows of a person
    register.jsonl      what was made, renewed and destroyed, when and by whom; no key material

Destroying a key file destroys what it opens, so keys live apart from the data (`DATASTORE_KEYS`). No key is ever
written anywhere else: not to a profile, a log, a manifest or Dagster's store. The period of a batch is known when it
has been read, so the keys of a period are those of its batches: a period ends with them while its feed goes on.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import functools
import hashlib
import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from pipelines import settings as environment
from pipelines.adapters import audit
from pipelines.adapters.files import append_line, destroy_file, lock, replace_with
from pipelines.settings import Settings

ROOT = "root"
DERIVED = "derived"
INTERNAL_TIER = "internal_tier"
PSEUDONYM = "pseudonym.1"
SIGNING = "signing.1"
WITHDRAWAL = "withdrawal"
BATCH = "batch"
SECRET_BYTES = 32
# Kept beside a key while those that it wraps are wrapped anew: what a killed rotation left opens with either.
NEXT = ".next"
ALGORITHMS = {
    ROOT: "AES-256-KW",
    "feed": "AES-256-KW",
    BATCH: "AES-256-GCM",
    DERIVED: "AES-256-GCM (DuckDB, Parquet)",
    INTERNAL_TIER: "AES-256-GCM (DuckDB, Parquet)",
    "pseudonym": "HMAC-SHA-256",
    "signing": "Ed25519",
    WITHDRAWAL: "AES-256-GCM",
}
RESTORE = "restore it from its backup (docs/runbooks/lost-key.md)"


class KeyMissing(Exception):
    """A key that sealed something is not in the key store, or does not open; the message names it and what to do."""


@dataclass(frozen=True)
class Key:
    """A 256-bit key and the name it is known by."""

    name: str
    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The key as DuckDB takes it: base64 of 32 bytes."""
        return base64.b64encode(self.secret).decode()

    @property
    def fingerprint(self) -> str:
        """What tells this key from others and opens nothing: 128 bits of a hash."""
        return hashlib.sha256(b"covid-datastore key\n" + self.secret).hexdigest()[:32]

    @property
    def algorithm(self) -> str:
        """What the key is used with."""
        return ALGORITHMS[self.name.partition(".")[0]]


class KeyStore:
    """The keys of one store, readable by the owner alone."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = settings.keys

    def get(self, name: str) -> Key:
        """The key of that name; raises `KeyMissing` with the name and what to do."""
        return Key(name, self._opened(self.path(name), self._wrapping_root()))

    def get_or_create(self, name: str) -> Key:
        """The key of that name, made on first use. Two processes that race get the same key."""
        path = self.path(name)
        if not path.exists():
            with self._locked():
                if not path.exists():
                    made = Key(name, os.urandom(SECRET_BYTES))
                    self._write(path, made, self._root())
        return self.get(name)

    def for_feed(self, feed: str, agreement: str, in_use: set[str]) -> Key:
        """The key that wraps the batch keys of one feed under one agreement.

        Made on first use only: when a batch names it (`in_use`) and it is gone, `KeyMissing` is raised, since a new
        key of the same name would hide the loss.
        """
        name = f"feed.{feed}.{agreement}"
        return self.get(name) if name in in_use else self.get_or_create(name)

    def derived(self, generation: int = 1, in_use: bool = False) -> Key:
        """The key of one generation of everything made from the originals; `in_use` as in `for_feed`."""
        name = f"{DERIVED}.{generation}"
        return self.get(name) if in_use else self.get_or_create(name)

    def internal_tier(self, generation: int = 1, in_use: bool = True) -> Key:
        """The key that analysts of the internal tier hold, of one generation; `in_use` as in `for_feed`."""
        name = f"{INTERNAL_TIER}.{generation}"
        return self.get(name) if in_use else self.get_or_create(name)

    def pseudonyms(self, in_use: bool) -> Key:
        """The key of the hash that stands for persons and records; `in_use` as in `for_feed`.

        It has one generation: under another key nobody would be the person of yesterday's file.
        """
        return self.get(PSEUDONYM) if in_use else self.get_or_create(PSEUDONYM)

    def signing(self) -> Ed25519PrivateKey:
        """The key that signs certificates, made on first use."""
        return Ed25519PrivateKey.from_private_bytes(self.get_or_create(SIGNING).secret)

    def keep_batch(self, feed: str, sha256: str, secret: bytes, wrapping: Key) -> None:
        """Keep the key of a sealed file before the file gets its name; one that a killed receiver left is replaced."""
        with self._locked():
            made = Key(batch_name(feed, sha256), secret)
            self._write(self.path(made.name), made, wrapping)

    def batch(self, feed: str, sha256: str, wrapping: str) -> Key:
        """The key of a sealed file, wrapped by the key of that name. Raises `KeyMissing`."""
        name = batch_name(feed, sha256)
        wrappers = [self.get(wrapping).secret]
        if (following := self.path(wrapping, NEXT)).exists():
            wrappers.append(self._opened(following, self._wrapping_root()))
        return Key(name, self._opened(self.path(name), wrappers))

    def exists(self, name: str) -> bool:
        """Whether the store has a key of that name."""
        return self.path(name).exists()

    def names(self) -> list[str]:
        """Every key that the store has, the batches' too."""
        top = [path.name.removesuffix(".key") for path in self.folder.glob("*.key") if path.name != f"{ROOT}.key"]
        batches = [batch_name(path.parent.name, path.stem) for path in self.folder.glob("batches/*/*.key")]
        return sorted(top + batches)

    def destroy(self, names: Sequence[str], reason: str) -> list[dict[str, str]]:
        """Overwrite and remove keys, and say so in the register; returns its entries.

        Doing it twice gives the same: a key that was destroyed before has the entry of then.
        """
        with self._locked():
            known = {entry["key"]: entry for entry in self.register()}
            for name in names:
                for suffix in ("", NEXT):
                    destroy_file(self.path(name, suffix))
                made = known.get(name, {"fingerprint": "", "wrapped_by": "", "algorithm": ""})
                if made.get("event") != "destroyed":
                    known[name] = self._register({**made, "event": "destroyed", "key": name, "reason": reason})
            return [known[name] for name in names]

    def rotate(self, name: str, reason: str) -> int:
        """Put a new key in the place of the root key or of a feed's, wrap anew what it wraps; returns how many.

        A killed rotation is finished by the next one of the same name: until then both keys open. Raises `KeyMissing`,
        and `ValueError` for a key that wraps nothing.
        """
        if name == ROOT:
            if not _source(self.folder).startswith("file:"):
                raise ValueError("the root key comes from outside the store: renew it there")
            path = Path(_source(self.folder).partition(":")[2])
            kept = {path, path.with_name(path.name + NEXT)}
            wrapped = [one for one in self.folder.glob("*.key*") if one not in kept]
        elif name.startswith("feed."):
            self.get(name)
            wrapped = list((self.folder / "batches" / name.split(".")[1]).glob("*.key"))
            path = self.path(name)
        else:
            raise ValueError(f"key {name} wraps no other: a new generation takes its place (datastore retention)")
        following = path.with_name(path.name + NEXT)
        with self._locked():
            old = self._root() if name == ROOT else self.get(name)
            if following.exists():
                secret = _read(following) if name == ROOT else self._opened(following, self._wrapping_root())
            else:
                secret = os.urandom(SECRET_BYTES)
                written = secret if name == ROOT else aes_key_wrap(self._root().secret, secret)
                replace_with(following, base64.b64encode(written) + b"\n", mode=0o400)
            count = 0
            for one in wrapped:
                try:
                    inner = self._opened(one, [old.secret, secret])
                except KeyMissing:
                    if name == ROOT:
                        raise
                    continue  # a batch of the same feed under another agreement
                replace_with(one, base64.b64encode(aes_key_wrap(secret, inner)) + b"\n", mode=0o400)
                count += 1
            os.replace(following, path)
            new = Key(name, secret)
            self._register({**_facts(new, ROOT if name != ROOT else ""), "event": "rotated", "reason": reason})
            return count

    def register(self) -> list[dict[str, str]]:
        """Every entry of the key register, oldest first."""
        path = self.folder / "register.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def path(self, name: str, suffix: str = "") -> Path:
        """Where a key lies."""
        if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", name):
            raise ValueError(f"not a key name: {name!r}")
        if name.startswith(f"{BATCH}."):
            _, feed, sha256 = name.split(".", 2)
            return self.folder / "batches" / feed / f"{sha256}.key{suffix}"
        return self.folder / f"{name}.key{suffix}"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else makes or destroys a key now: what is half-made is of a process that died, and may hold a key."""
        with lock(self.folder / "lock"):
            for left in (*self.folder.glob(".*"), *self.folder.glob("batches/*/.*")):
                left.unlink()
            yield

    def _write(self, path: Path, key: Key, wrapping: Key) -> None:
        self._register({**_facts(key, wrapping.name), "event": "created", "reason": "first use"})
        replace_with(path, base64.b64encode(aes_key_wrap(wrapping.secret, key.secret)) + b"\n", mode=0o400)

    def _register(self, entry: dict[str, str]) -> dict[str, str]:
        entry = {**entry, "at": dt.datetime.now(dt.UTC).isoformat(), "actor": environment.current_user()}
        append_line(self.folder / "register.jsonl", json.dumps(entry, sort_keys=True))
        audit.record(
            self.settings, "key", entry["reason"], event=entry["event"], key=entry["key"], print=entry["fingerprint"]
        )
        return entry

    def _opened(self, path: Path, wrappers: list[bytes]) -> bytes:
        """The secret in a key file, under whichever of the keys wraps it."""
        name = path.name.removesuffix(".key")
        if not path.exists():
            raise KeyMissing(f"key {name} is not in {path.parent}: {RESTORE}")
        wrapped = _read(path)
        for wrapper in wrappers:
            try:
                return aes_key_unwrap(wrapper, wrapped)
            except (InvalidUnwrap, ValueError):
                continue
        raise KeyMissing(f"key file {path} is damaged, or of another key store than its wrapping key: {RESTORE}")

    def _wrapping_root(self) -> list[bytes]:
        """The root key, and the one that a rotation which did not end began with."""
        found = [self._root().secret]
        following = self.folder / f"{ROOT}.key{NEXT}"
        return [*found, _read(following)] if following.exists() else found

    def _root(self) -> Key:
        """The root key from where the environment says; a file of it is made with the first key of a store."""
        source = _source(self.folder)
        kind, _, where = source.partition(":")
        if kind == "file":
            path = Path(where)
            if not path.exists():
                if any(self.folder.glob("*.key")):
                    raise KeyMissing(f"the root key {path} is gone, so no key of {self.folder} opens: {RESTORE}")
                replace_with(path, base64.b64encode(os.urandom(SECRET_BYTES)) + b"\n", mode=0o400)
            return Key(ROOT, _read(path))
        return Key(ROOT, _given(source))


def batch_name(feed: str, sha256: str) -> str:
    """The name of the key of one sealed file."""
    return f"{BATCH}.{feed}.{sha256}"


@functools.cache
def _given(source: str) -> bytes:
    """The root key from an environment variable (`env:NAME`) or from a program that prints it (`command:...`).

    The program is the adapter to a key management service: it is run once a process, and its output is kept in memory
    alone. Raises `KeyMissing` without a word of what it printed.
    """
    kind, _, what = source.partition(":")
    if kind == "env":
        told = os.environ.get(what, "")
        where = f"the environment variable {what}"
    else:
        where = f"the program {shlex.split(what)[0]}"
        try:
            done = subprocess.run(shlex.split(what), capture_output=True, text=True, timeout=60, check=True)
            told = done.stdout
        except (OSError, subprocess.SubprocessError):
            raise KeyMissing(f"the root key does not come from {where}: see that it runs and may be used") from None
    try:
        secret = base64.b64decode(told.strip(), validate=True)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise KeyMissing(f"the root key from {where} is not base64 of {SECRET_BYTES} bytes")
    return secret


def _source(folder: Path) -> str:
    return environment.root_key_source() or f"file:{folder / 'root.key'}"


def _read(path: Path) -> bytes:
    try:
        return base64.b64decode(path.read_text().strip(), validate=True)
    except ValueError:
        raise KeyMissing(f"key file {path} is damaged: {RESTORE}") from None


def _facts(key: Key, wrapped_by: str) -> dict[str, str]:
    return {
        "key": key.name,
        "fingerprint": key.fingerprint,
        "wrapped_by": wrapped_by,
        "algorithm": key.algorithm,
        "rng": "os.urandom",
    }
