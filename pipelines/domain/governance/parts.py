"""What the governance records have in common: the refusal, texts, ids and public keys."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from pipelines.domain.strict import Strict

KEY_BYTES = 32


class Ungoverned(Exception):
    """What lacks in the records that would let us hold, receive or release something; one line that names it."""


# Something is said; spaces say nothing.
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
# Ids of agreements, bases and policies are parts of names of keys and metadata.
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
# Ids of events, holds, approvers and backups come from elsewhere: references of a ministry or a directory.
Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


def _is_public_key(text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None
    if len(raw) != KEY_BYTES:
        raise ValueError(f"holds {len(raw)} bytes, an Ed25519 public key has {KEY_BYTES}")
    return text


# A raw Ed25519 public key in base64.
PublicKey = Annotated[str, AfterValidator(_is_public_key)]


class Span(Strict):
    """Days from one to another, both inclusive; without an end it is open."""

    from_: dt.date = Field(alias="from")
    to: dt.date | None = None

    def holds(self, day: dt.date) -> bool:
        """Whether the day lies within."""
        return self.from_ <= day and (self.to is None or day <= self.to)


def ordered(start: dt.date | None, end: dt.date | None) -> None:
    """Raise `ValueError` when a span ends before it starts."""
    if start is not None and end is not None and end < start:
        raise ValueError(f"to {end} lies before from {start}")
