"""Requests of persons to be taken out: kept sealed, each under a key of its own, until they are done.

    retention/withdrawals/<id>.sealed      the NHS number, who asks and why, and where the rows were found
    keys/withdrawal.<id>.key               what opens it

The id is random. The number is nowhere else, and is gone when the key is: with the end of the request.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.adapters.files import destroy_file, replace_with
from pipelines.adapters.keys import WITHDRAWAL, KeyStore
from pipelines.adapters.persons.finding import Found
from pipelines.adapters.sealing import SealBroken
from pipelines.settings import Settings, today

MAGIC = b"CDSWITHDRAWAL1\n"
NONCE = 12
PREFIX = "withdrawal-"


@dataclass(frozen=True)
class Request:
    """A request: whose rows, on whose word; and what was found when it was last looked for."""

    id: str
    date: str
    authority: str
    reference: str
    requested_by: str
    number: str = field(repr=False)
    found: Found | None = field(default=None, repr=False)

    @property
    def end_id(self) -> str:
        """The id of the end in plans and certificates."""
        return f"{PREFIX}{self.id}"

    @property
    def key_name(self) -> str:
        """The key that seals it."""
        return key_name(self.id)


def key_name(request_id: str) -> str:
    """The key that seals a request."""
    return f"{WITHDRAWAL}.{request_id}"


def path(settings: Settings, request_id: str) -> Path:
    """Where a request lies."""
    return settings.retention / "withdrawals" / f"{request_id}.sealed"


def new(number: str, authority: str, reference: str | None, requested_by: str) -> Request:
    """A request of today."""
    request_id = secrets.token_hex(8)
    return Request(request_id, today().isoformat(), authority, reference or request_id, requested_by, number)


def keep(settings: Settings, request: Request) -> None:
    """Seal a request; what was kept of it before is replaced."""
    key = KeyStore(settings).get_or_create(request.key_name)
    nonce = os.urandom(NONCE)
    sealed = AESGCM(key.secret).encrypt(nonce, json.dumps(asdict(request)).encode(), _bound(request.id))
    replace_with(path(settings, request.id), MAGIC + nonce + sealed)


def kept(settings: Settings) -> list[Request]:
    """Every request that is not done, oldest first. Raises `KeyMissing`, `SealBroken`."""
    ids = [one.name.removesuffix(".sealed") for one in path(settings, "x").parent.glob("*.sealed")]
    # Without a key it is over: an execution that was interrupted still has to overwrite it.
    keys = KeyStore(settings)
    found = [_opened(settings, request_id) for request_id in ids if keys.exists(key_name(request_id))]
    return sorted(found, key=lambda one: (one.date, one.id))


def drop(settings: Settings, request_id: str, reason: str) -> None:
    """Destroy a request and its key."""
    KeyStore(settings).destroy([key_name(request_id)], reason)
    destroy_file(path(settings, request_id))


def clear_unfinished(settings: Settings) -> None:
    """Destroy keys whose request was never sealed: the process that made them was stopped."""
    keys = KeyStore(settings)
    for name in keys.names():
        family, _, request_id = name.partition(".")
        if family == WITHDRAWAL and not path(settings, request_id).exists():
            keys.destroy([name], "a request that was never kept")


def _opened(settings: Settings, request_id: str) -> Request:
    key = KeyStore(settings).get(key_name(request_id))
    sealed = path(settings, request_id).read_bytes()
    begin = len(MAGIC) + NONCE
    try:
        told = json.loads(AESGCM(key.secret).decrypt(sealed[len(MAGIC) : begin], sealed[begin:], _bound(request_id)))
    except (InvalidTag, ValueError):
        raise SealBroken(f"the request {PREFIX}{request_id} was changed or cut, or is another key's") from None
    found = told.pop("found")
    return Request(**told, found=Found(**found) if found else None)


def _bound(request_id: str) -> bytes:
    return MAGIC + request_id.encode()
