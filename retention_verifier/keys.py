"""The key store as it is now: which keys it still opens, and whether one that was destroyed is among what is found.

A key is told by its fingerprint, which opens nothing. A key file holds a key wrapped by another one (AES key wrap), so
whether a wrapped key opens is decided without anything that it sealed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

KEY_BYTES = 32
WRAPPED_BYTES = 40
# Of a batch that was sealed anew a number follows.
BATCH = re.compile(r"batch\.(?P<feed>.+)\.(?P<sha256>[0-9a-f]{64}(\.\d+)?)")


class NoRoot(Exception):
    """The root key that was named cannot be had; one line that says why."""


def fingerprint(secret: bytes) -> str:
    """What tells a key and opens nothing."""
    return hashlib.sha256(b"covid-datastore key\n" + secret).hexdigest()[:32]


def material(content: bytes) -> bytes | None:
    """The 32 or 40 bytes that a key file holds: as they are, as base64 or as hex; None when it holds something else."""
    if len(content) in (KEY_BYTES, WRAPPED_BYTES):
        return content
    text = content.strip()
    for decode in (binascii.unhexlify, lambda given: base64.b64decode(given, validate=True)):
        try:
            decoded = decode(text)
        except ValueError:
            continue
        if len(decoded) in (KEY_BYTES, WRAPPED_BYTES):
            return decoded
    return None


def root(keys: Path) -> bytes:
    """The root key, from where `DATASTORE_ROOT_KEY` says; raises `NoRoot`."""
    told = os.environ.get("DATASTORE_ROOT_KEY") or f"file:{keys / 'root.key'}"
    kind, _, rest = told.partition(":")
    try:
        if kind == "file":
            content = Path(rest).expanduser().read_bytes()
        elif kind == "env":
            content = os.environ[rest].encode()
        elif kind == "command":
            content = subprocess.run(shlex.split(rest), capture_output=True, check=True, timeout=60).stdout
        else:
            raise NoRoot("DATASTORE_ROOT_KEY names neither file:PATH, env:NAME nor command:PROGRAM")
    except KeyError:
        raise NoRoot(f"the variable {rest} is not set") from None
    except OSError as error:
        raise NoRoot(f"{error.strerror or 'cannot be read'}") from None
    except (subprocess.SubprocessError, ValueError):
        raise NoRoot("the program that gives it failed") from None
    secret = material(content)
    if secret is None or len(secret) != KEY_BYTES:
        raise NoRoot("what is there is no key")
    return secret


@dataclass
class Keys:
    """Every key that can be had, told by a name or by where it was found; and wrapped ones that nothing opens yet."""

    opened: dict[bytes, str] = field(default_factory=dict)
    wrapping: set[bytes] = field(default_factory=set)
    closed: dict[bytes, set[str]] = field(default_factory=dict)
    places: dict[bytes, set[str]] = field(default_factory=dict)
    # Keys that stood in the text of some file: what they would open is not tried, whether they are known is.
    mentioned: dict[bytes, set[str]] = field(default_factory=dict)

    def add(self, secret: bytes, name: str, where: str) -> None:
        """A key that can be used."""
        self.opened.setdefault(secret, name)
        self.places.setdefault(secret, set()).add(where)
        # A batch key wraps nothing.
        if BATCH.fullmatch(self.opened[secret]) is None:
            self.wrapping.add(secret)

    def find(self, content: bytes, name: str, where: str, is_whole_file: bool) -> None:
        """Key material: a key, or a wrapped one."""
        if len(content) == WRAPPED_BYTES:
            self.closed.setdefault(content, set()).add(f"{name}\n{where}")
        elif is_whole_file:
            self.add(content, name, where)
        else:
            self.mentioned.setdefault(content, set()).add(where)

    def unwrap(self) -> None:
        """Open what any key opens, and then what those open, until nothing more does."""
        tried: set[bytes] = set()
        while fresh := self.wrapping - tried:
            tried |= fresh
            for content in list(self.closed):
                secret = _unwrapped(content, fresh)
                if secret is None:
                    continue
                # A file's own name first, then texts in which it stood.
                for told in sorted(self.closed.pop(content), key=lambda one: one.startswith("\n")):
                    name, _, where = told.partition("\n")
                    self.add(secret, name, where)

    def known(self, fingerprints: dict[str, str]) -> list[tuple[str, str]]:
        """Of the keys found, those with such a fingerprint: the name that goes with it, and where it was found."""
        found = set()
        for group in (self.places, self.mentioned):
            for secret, places in group.items():
                name = fingerprints.get(fingerprint(secret))
                if name is not None:
                    found |= {(name, where) for where in places}
        return sorted(found)

    def unopened(self) -> list[str]:
        """Key files that no key opens."""
        told = {one.partition("\n") for group in self.closed.values() for one in group}
        return sorted(where for name, _, where in told if name and where.endswith((".key", ".key.next")))

    def batches(self) -> list[tuple[bytes, str]]:
        """The keys that may have sealed an original, those that are named so first."""
        return sorted(self.opened.items(), key=lambda item: (BATCH.fullmatch(item[1]) is None, item[1]))

    def stores(self) -> list[tuple[bytes, str]]:
        """The keys that may open a database or a Parquet file, those of the store's own first."""
        own = ("internal_tier.", "derived.")
        return sorted(self.opened.items(), key=lambda item: (not item[1].startswith(own), item[1]))


def _unwrapped(content: bytes, wrapping: set[bytes]) -> bytes | None:
    for key in wrapping:
        try:
            return aes_key_unwrap(key, content)
        except InvalidUnwrap:
            continue
    return None


def file_of(keys: Path, name: str) -> Path:
    """Where the key of a name lies."""
    if match := BATCH.fullmatch(name):
        return keys / "batches" / match["feed"] / f"{match['sha256']}.key"
    return keys / f"{name}.key"


def name_of(path: Path) -> str:
    """What a key file is called, from where it lies."""
    name = path.name.removesuffix(".next").removesuffix(".key")
    if path.parent.parent.name == "batches" and re.fullmatch(r"[0-9a-f]{64}(\.\d+)?", name) and name != path.name:
        return f"batch.{path.parent.name}.{name}"
    return name
