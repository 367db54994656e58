"""The key store: one small file a key, made once, never overwritten.

Destroying a key file destroys what it opens, so keys live apart from the data (`DATASTORE_KEYS`) and no key
is ever written anywhere else: not to a profile, a log, a manifest or Dagster's store.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.adapters.files import lock, replace_with

DERIVED = "derived"
INTERNAL_TIER = "internal_tier"
PSEUDONYM = "pseudonym.1"


class KeyMissing(Exception):
    """A key that sealed something is not in the key store."""


@dataclass(frozen=True)
class Key:
    """A 256-bit key and the name it is known by."""

    name: str
    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The key as DuckDB takes it: base64 of 32 bytes."""
        return base64.b64encode(self.secret).decode()


class KeyStore:
    """Keys as files `<name>.key` under one folder, readable by the owner alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> Key:
        """The key of that name; raises `KeyMissing` with the name and what to do."""
        path = self._path(name)
        try:
            return Key(name, base64.b64decode(path.read_text().strip(), validate=True))
        except FileNotFoundError:
            raise KeyMissing(
                f"key {name} is not in {self.folder}: restore it from its backup (docs/runbooks/lost-key.md)"
            ) from None
        except ValueError:
            raise KeyMissing(
                f"key file {path} is damaged: restore it from its backup (docs/runbooks/lost-key.md)"
            ) from None

    def get_or_create(self, name: str) -> Key:
        """The key of that name, made on first use. Two processes that race get the same key."""
        path = self._path(name)
        if not path.exists():
            with lock(self.folder / "lock"):
                # Nobody else makes a key now: what is half-made is of a process that died, and may hold a key.
                for left in self.folder.glob(".*"):
                    left.unlink()
                if not path.exists():
                    made = base64.b64encode(AESGCM.generate_key(256)) + b"\n"
                    replace_with(path, made, mode=0o400)
        return self.get(name)

    def for_feed(self, feed: str, agreement: str, in_use: set[str]) -> Key:
        """The key that wraps the batch keys of one feed under one agreement.

        Made on first use only: when a batch names it (`in_use`) and it is gone, `KeyMissing` is raised, since a new
        key of the same name would hide the loss.
        """
        name = f"feed.{feed}.{agreement}"
        return self.get(name) if name in in_use else self.get_or_create(name)

    def derived(self, in_use: bool = False) -> Key:
        """The key of the current generation of everything made from the originals; `in_use` as in `for_feed`."""
        name = f"{DERIVED}.{self._generation(DERIVED)}"
        return self.get(name) if in_use else self.get_or_create(name)

    def internal_tier(self, in_use: bool = True) -> Key:
        """The key that analysts of the internal tier hold; `in_use` as in `for_feed`."""
        name = f"{INTERNAL_TIER}.{self._generation(INTERNAL_TIER)}"
        return self.get(name) if in_use else self.get_or_create(name)

    def pseudonyms(self, in_use: bool) -> Key:
        """The key of the hash that stands for persons and records; `in_use` as in `for_feed`.

        It has one generation: under another key nobody would be the person of yesterday's file.
        """
        return self.get(PSEUDONYM) if in_use else self.get_or_create(PSEUDONYM)

    def _generation(self, family: str) -> int:
        numbers = [int(path.name.split(".")[1]) for path in self.folder.glob(f"{family}.*.key")]
        return max(numbers, default=1)

    def _path(self, name: str) -> Path:
        if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", name):
            raise ValueError(f"not a key name: {name!r}")
        return self.folder / f"{name}.key"
