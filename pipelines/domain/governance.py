"""No governance record, no data: what must stand behind a feed before a byte of it is taken in."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from pipelines.domain.feeds import Feed
from pipelines.domain.strict import Strict


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
    """A legal basis, when it is in force, and what it asks of person-level data.

    `opt_outs_apply`: the records of persons who have opted out are left out of everything made from such data.
    `test_numbers_only`: NHS numbers are those set aside for tests (999); any other is refused.
    """

    id: str
    title: str
    citation: str
    opt_outs_apply: bool
    test_numbers_only: bool
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
    """Under which agreement a dataset is held, and what becomes of it in the end.

    `legal_bases` are named in order of preference: of those in force on a day the first governs.
    """

    id: str
    title: str
    controller: str
    parties: tuple[str, ...] = Field(min_length=2)
    clause: str
    purpose: str
    legal_bases: tuple[str, ...] = Field(min_length=1)
    dpia: Dpia
    disposition: Literal["destroy", "return", "retain_with_basis"]


class Register(Strict):
    """The governance records as the officer keeps them (`governance/*.yaml`)."""

    purposes: tuple[Purpose, ...]
    agreements: tuple[Agreement, ...]
    legal_bases: tuple[LegalBasis, ...]

    def governing(self, feed: Feed) -> tuple[Agreement, tuple[LegalBasis, ...]]:
        """The agreement of a feed and the bases it may rest on, the preferred first.

        Raises `Ungoverned` naming the feed and what lacks.
        """
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
        bases = {basis.id: basis for basis in self.legal_bases}
        for name in agreement.legal_bases:
            if name not in bases:
                raise Ungoverned(
                    f"feed {feed.feed}: agreement {agreement.id} names legal basis {name}, "
                    "which governance/legal_bases.yaml lacks"
                )
        return agreement, tuple(bases[name] for name in agreement.legal_bases)

    def in_force(self, feed: Feed, day: dt.date) -> LegalBasis | None:
        """The basis that governs a feed on a day, None when none is in force; raises as `governing`."""
        return next((basis for basis in self.governing(feed)[1] if basis.in_force(day)), None)

    def require_in_force(self, feed: Feed, day: dt.date) -> tuple[Agreement, LegalBasis]:
        """The agreement and the basis that govern a feed on a day; raises `Ungoverned` also when none is in force."""
        agreement, bases = self.governing(feed)
        basis = self.in_force(feed, day)
        if basis is None:
            named = " or ".join(one.id for one in bases)
            raise Ungoverned(
                f"feed {feed.feed}: legal basis {named} is not in force on {day}: nothing is taken in or released"
            )
        return agreement, basis
