"""What happens to a policy and its datasets: events, holds, approvers, backups, and an end with all that it covers."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Literal, NamedTuple, Self

from pydantic import AwareDatetime, Field, model_validator

from pipelines.domain.governance.parts import Id, PublicKey, Reference, Span, Text, ordered
from pipelines.domain.strict import Strict

Kind = Literal["declared", "level", "extended", "ended"]


class Policy(Strict):
    """A policy whose end sets dispositions off: an emergency, a set of notices."""

    id: Id
    title: Text


class Event(Strict):
    """Something that happened to a policy (declared, a new level, extended, ended), on whose word and where it stands.

    `until` is the day that a declaration or an extension names. An end says who asked for it, and may cover a part:
    some agreements, some feeds, the days `from`..`to` (both inclusive). `whole_batches`: a batch that holds other days
    too goes whole; without it such a batch stands in the way, since what is sealed in one cannot be cut.
    """

    id: Reference
    date: dt.date
    known_from: dt.date
    policy: Id
    kind: Kind
    authority: Text
    reference: Text
    level: int | None = None
    until: dt.date | None = None
    requested_by: Text | None = None
    agreements: tuple[Id, ...] | None = Field(default=None, min_length=1)
    feeds: tuple[Id, ...] | None = Field(default=None, min_length=1)
    from_: dt.date | None = Field(default=None, alias="from")
    to: dt.date | None = None
    whole_batches: bool = False
    note: Text | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ordered(self.from_, self.to)
        if (self.kind == "ended") != (self.requested_by is not None):
            raise ValueError("requested_by: an end, and only an end, says who asked for it")
        if self.kind != "ended" and (self.agreements or self.feeds or self.from_ or self.to or self.whole_batches):
            raise ValueError("agreements, feeds, from, to and whole_batches are of an end alone")
        if self.kind == "level" and self.level is None:
            raise ValueError("level: say which")
        if self.kind == "extended" and self.until is None:
            raise ValueError("until: say to which day")
        return self


class EventsFile(Strict):
    """`policy_events.yaml`: policies, and what happened to them."""

    policies: tuple[Policy, ...]
    events: tuple[Event, ...]


class Hold(Strict):
    """A legal hold: while it lasts nothing of what it covers is destroyed or returned. It has ended on `released`."""

    id: Reference
    agreement: Id
    feeds: tuple[Id, ...] | None = Field(default=None, min_length=1)
    from_: dt.date = Field(alias="from")
    released: dt.date | None = None
    authority: Text
    reference: Text
    reason: Text

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.released is not None and self.released < self.from_:
            raise ValueError(f"released {self.released} lies before from {self.from_}")
        return self

    def covers(self, feed: str, agreement: str, day: dt.date) -> bool:
        """Whether it holds that dataset on that day."""
        lasts = self.from_ <= day and (self.released is None or day < self.released)
        return lasts and agreement == self.agreement and (self.feeds is None or feed in self.feeds)


class HoldsFile(Strict):
    """`holds.yaml`: what must not be destroyed for now."""

    holds: tuple[Hold, ...]


class Approver(Span):
    """Who may approve an end, from when to when, and the key that proves it was them."""

    id: Reference
    name: Text
    role: Text
    public_key: PublicKey

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        ordered(self.from_, self.to)
        return self

    @property
    def key(self) -> bytes:
        """The raw public key."""
        return base64.b64decode(self.public_key)


class ApproversFile(Strict):
    """`approvers.yaml`: who may approve an end."""

    approvers: tuple[Approver, ...]


class Backup(Strict):
    """A copy of the data or of the keys that somebody keeps elsewhere."""

    id: Reference
    location: Text
    of: Literal["data", "keys"]
    keeper: Text
    made_at: AwareDatetime | dt.date


class BackupsFile(Strict):
    """`backups.yaml`: every copy that lies outside the store."""

    backups: tuple[Backup, ...]


class Dataset(NamedTuple):
    """What one feed holds under one agreement; of a period only when it has one. `str` gives its id."""

    agreement: str
    feed: str
    from_: dt.date | None = None
    to: dt.date | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is all that the feed holds under the agreement."""
        return self.from_ is None and self.to is None

    def __str__(self) -> str:
        period = "" if self.is_whole else f"/{self.from_ or ''}..{self.to or ''}"
        return f"{self.feed}/{self.agreement}{period}"


class End(Event):
    """A recorded end with every dataset that it covers, those too whose disposition is to be retained.

    As JSON it is its row: the datasets follow from that and the agreements.
    """

    datasets: tuple[Dataset, ...] = Field(exclude=True)
