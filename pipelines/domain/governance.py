"""No governance record, no data: what must stand behind a feed before a byte of it is taken in."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from pipelines.domain.feeds import Feed, Strict


class Ungoverned(Exception):
    """A feed without the records that let us hold it; the message names the feed and what lacks."""


class Interval(Strict):
    """Days on which a basis is in force; both ends inclusive, no end is open-ended."""

    from_: dt.date = Field(alias="from")
    to: dt.date | None = None

    def holds(self, day: dt.date) -> bool:
        """Whether the day lies within."""
        return self.from_ <= day and (self.to is None or day <= self.to)


class LegalBasis(Strict):
    """A legal basis and when it is in force."""

    id: str
    title: str
    citation: str
    intervals: tuple[Interval, ...]

    def in_force(self, day: dt.date) -> bool:
        """Whether the basis is in force on that day."""
        return any(interval.holds(day) for interval in self.intervals)


class Purpose(Strict):
    """What the data may be used for."""

    id: str
    title: str


class Dpia(Strict):
    """The data protection impact assessment behind an agreement."""

    reference: str
    outcome: str


class Agreement(Strict):
    """Under which agreement a dataset is held, and what becomes of it in the end."""

    id: str
    title: str
    controller: str
    parties: tuple[str, ...] = Field(min_length=2)
    clause: str
    purpose: str
    legal_basis: str
    dpia: Dpia
    disposition: Literal["destroy", "return", "retain_with_basis"]


class Register(Strict):
    """The governance records as the officer keeps them (`governance/*.yaml`)."""

    purposes: tuple[Purpose, ...]
    agreements: tuple[Agreement, ...]
    legal_bases: tuple[LegalBasis, ...]

    def governing(self, feed: Feed) -> tuple[Agreement, LegalBasis]:
        """The agreement and legal basis of a feed. Raises `Ungoverned` naming the feed and what lacks."""
        if not feed.agreement:
            raise Ungoverned(
                f"feed {feed.feed} names no agreement: add one to its defs.yaml and governance/agreements.yaml"
            )
        agreement = next((a for a in self.agreements if a.id == feed.agreement), None)
        if agreement is None:
            raise Ungoverned(
                f"feed {feed.feed} names agreement {feed.agreement}, which governance/agreements.yaml lacks"
            )
        if agreement.purpose not in {purpose.id for purpose in self.purposes}:
            raise Ungoverned(
                f"feed {feed.feed}: agreement {agreement.id} names purpose {agreement.purpose}, which is not listed"
            )
        basis = next((b for b in self.legal_bases if b.id == agreement.legal_basis), None)
        if basis is None:
            raise Ungoverned(
                f"feed {feed.feed}: agreement {agreement.id} names legal basis {agreement.legal_basis}, "
                "which governance/legal_bases.yaml lacks"
            )
        return agreement, basis

    def require_in_force(self, feed: Feed, day: dt.date) -> Agreement:
        """The feed's agreement when its legal basis is in force on that day; raises `Ungoverned` when not."""
        agreement, basis = self.governing(feed)
        if not basis.in_force(day):
            raise Ungoverned(
                f"feed {feed.feed}: legal basis {basis.id} is not in force on {day}: nothing is taken in or released"
            )
        return agreement
