"""The governance records as a whole, and what follows from them on a day, as it was known on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.domain.feeds import Feed
from pipelines.domain.governance.agreements import Agreement, Purpose
from pipelines.domain.governance.bases import LegalBasis
from pipelines.domain.governance.events import Approver, Backup, Dataset, End, Event, Hold, Policy
from pipelines.domain.governance.parts import Ungoverned
from pipelines.domain.strict import Strict

# Applications for another basis are due eight weeks before the notices under Regulation 3(4) end.
LAPSES_WITHIN = dt.timedelta(days=56)


@dataclass(frozen=True)
class Governed:
    """What governs one dataset on a day; `basis` is None when none is in force."""

    feed: str
    agreement: str
    basis: str | None
    basis_ends_as_known: dt.date | None
    opt_outs_apply: bool
    dpia: str
    disposition: str

    def as_record(self) -> dict[str, Any]:
        """As it is kept with a release: days as ISO."""
        end = self.basis_ends_as_known
        return {**asdict(self), "basis_ends_as_known": end.isoformat() if end else None}


@dataclass(frozen=True)
class Lapse:
    """A basis that governs an agreement and is about to end; `then` is the one that follows, None when none does."""

    agreement: str
    feeds: tuple[str, ...]
    basis: str
    ends: dt.date
    days: int
    then: str | None

    def __str__(self) -> str:
        follows = f"then {self.then} governs" if self.then else "then nothing is taken in or released"
        return (
            f"legal basis {self.basis} of agreement {self.agreement} ends on {self.ends}, in {self.days} days: "
            f"{follows} ({', '.join(self.feeds)})"
        )


class Register(Strict):
    """The governance records as the officer keeps them (`governance/*.yaml`); `files.read` checks and makes one.

    Where a question takes `known_on`, rows that were made known later do not count; without it, it is the day asked of.
    """

    purposes: tuple[Purpose, ...]
    agreements: tuple[Agreement, ...]
    legal_bases: tuple[LegalBasis, ...]
    policies: tuple[Policy, ...] = ()
    events: tuple[Event, ...] = ()
    holds: tuple[Hold, ...] = ()
    approvers: tuple[Approver, ...] = ()
    backups: tuple[Backup, ...] = ()

    def agreement(self, name: str) -> Agreement | None:
        """The agreement of that id."""
        return next((one for one in self.agreements if one.id == name), None)

    def basis(self, name: str) -> LegalBasis:
        """The legal basis of that id; raises `Ungoverned`."""
        found = next((one for one in self.legal_bases if one.id == name), None)
        if found is None:
            raise Ungoverned(f"legal basis {name} is not in governance/legal_bases.yaml")
        return found

    def governing(self, feed: Feed, agreement: str | None = None) -> tuple[Agreement, tuple[LegalBasis, ...]]:
        """The agreement of a feed (its own, or another that covers it) and the bases it may rest on, preferred first.

        Raises `Ungoverned` naming the feed and what lacks.
        """
        name = agreement or feed.agreement
        if not name:
            raise Ungoverned(
                f"feed {feed.feed} names no agreement: add one to its defs.yaml and governance/agreements.yaml"
            )
        found = self.agreement(name)
        if found is None:
            raise Ungoverned(f"feed {feed.feed} names agreement {name}, which governance/agreements.yaml lacks")
        if feed.feed not in found.datasets:
            raise Ungoverned(
                f"feed {feed.feed} is not covered by agreement {name}: "
                f"governance/agreements.yaml does not list {feed.feed} in its datasets"
            )
        return found, tuple(self.basis(basis) for basis in found.legal_bases)

    def in_force(
        self, feed: Feed, day: dt.date, agreement: str | None = None, known_on: dt.date | None = None
    ) -> LegalBasis | None:
        """The basis that governs a feed on a day, None when none is in force; raises as `governing`."""
        return _first_in_force(self.governing(feed, agreement)[1], day, known_on)

    def require_in_force(
        self, feed: Feed, day: dt.date, agreement: str | None = None, known_on: dt.date | None = None
    ) -> tuple[Agreement, LegalBasis]:
        """The agreement and the basis that govern a feed on a day; raises `Ungoverned` also when none is in force."""
        found, bases = self.governing(feed, agreement)
        basis = _first_in_force(bases, day, known_on)
        if basis is None:
            named = " or ".join(one.id for one in bases)
            raise Ungoverned(
                f"feed {feed.feed}: legal basis {named} is not in force on {day}: nothing is taken in or released"
            )
        return found, basis

    def require_open(self, feed: Feed, day: dt.date, agreement: str | None = None) -> tuple[Agreement, LegalBasis]:
        """As `require_in_force`, for what is about to be taken in: raises `Ungoverned` also when the dataset ended."""
        found, _ = self.governing(feed, agreement)
        if end := self.ended(feed, found.id, day):
            raise Ungoverned(
                f"feed {feed.feed}: agreement {found.id} ended on {end.date} (event {end.id}): nothing more is taken in"
            )
        return self.require_in_force(feed, day, agreement)

    def believed_end(self, basis: str, day: dt.date, known_on: dt.date | None = None) -> dt.date | None:
        """The last day of a basis that is in force on a day, as known on a day; None when it is open-ended.

        Raises `Ungoverned` when it was not in force on that day.
        """
        try:
            return self.basis(basis).believed_end(day, known_on)
        except ValueError as reason:
            raise Ungoverned(f"legal basis {reason}") from None

    def governs(
        self, feed: Feed, day: dt.date, agreement: str | None = None, known_on: dt.date | None = None
    ) -> Governed:
        """What governs a dataset on a day; raises as `governing`. Without a basis in force opt-outs apply."""
        found, bases = self.governing(feed, agreement)
        basis = _first_in_force(bases, day, known_on)
        return Governed(
            feed=feed.feed,
            agreement=found.id,
            basis=basis.id if basis else None,
            basis_ends_as_known=basis.believed_end(day, known_on) if basis else None,
            opt_outs_apply=found.opt_outs == "always" or basis is None or basis.opt_outs_apply,
            dpia=found.dpia.reference,
            disposition=found.disposition.action,
        )

    def governs_release(self, datasets: Iterable[tuple[Feed, str]], day: dt.date) -> list[Governed]:
        """What governs the datasets of a release, by feed and agreement. Raises `Ungoverned` when one has no basis.

        The strictest rule on opt-outs is that of all person-level datasets: marts link them, so a person is in all or
        in none.
        """
        held = sorted(datasets, key=lambda one: (one[0].feed, one[1]))
        for feed, agreement in held:
            self.require_in_force(feed, day, agreement)
        strictest = self.opt_outs_apply(held, day)
        governed = [(feed, self.governs(feed, day, agreement)) for feed, agreement in held]
        return [
            Governed(**{**asdict(one), "opt_outs_apply": strictest}) if feed.kind == "persons" else one
            for feed, one in governed
        ]

    def opt_outs_apply(self, datasets: Iterable[tuple[Feed, str]], day: dt.date) -> bool:
        """Whether people who opted out are left out: when what governs one of the person-level datasets asks for it."""
        persons = [(feed, agreement) for feed, agreement in datasets if feed.kind == "persons"]
        return any(self.governs(feed, day, agreement).opt_outs_apply for feed, agreement in persons)

    def ends(self, day: dt.date, known_on: dt.date | None = None) -> list[End]:
        """The ends that have come by a day, by date, each with the datasets that it covers."""
        known = known_on or day
        rows = [one for one in self.events if one.kind == "ended" and one.date <= day and one.known_from <= known]
        return [self._resolved(one) for one in sorted(rows, key=lambda one: (one.date, one.id))]

    def ended(self, feed: Feed | str, agreement: str, day: dt.date) -> End | None:
        """The end of all that a feed holds under an agreement; an end of a period is none, and retained data go on."""
        held = self.agreement(agreement)
        if held is None or held.disposition.action == "retain":
            return None
        dataset = Dataset(agreement, feed if isinstance(feed, str) else feed.feed)
        return next((end for end in self.ends(day) if dataset in end.datasets), None)

    def holds_on(self, feed: Feed | str, agreement: str, day: dt.date) -> list[Hold]:
        """The legal holds on a dataset on a day."""
        name = feed if isinstance(feed, str) else feed.feed
        return [hold for hold in self.holds if hold.covers(name, agreement, day)]

    def approver(self, name: str, day: dt.date) -> Approver | None:
        """The approver of that id, when they are one on that day."""
        return next((one for one in self.approvers if one.id == name and one.holds(day)), None)

    def lapsing(self, day: dt.date, known_on: dt.date | None = None) -> list[Lapse]:
        """The bases that govern an agreement on a day and end within eight weeks, as known on a day."""
        found = []
        for agreement in self.agreements:
            bases = tuple(self.basis(name) for name in agreement.legal_bases)
            basis = _first_in_force(bases, day, known_on)
            ends = basis.believed_end(day, known_on) if basis else None
            if basis is None or ends is None or ends - day > LAPSES_WITHIN:
                continue
            then = _first_in_force(bases, ends + dt.timedelta(days=1), known_on or day)
            running = [feed for feed in agreement.datasets if not self.ended(feed, agreement.id, day)]
            if running:
                found.append(
                    Lapse(agreement.id, tuple(running), basis.id, ends, (ends - day).days, then.id if then else None)
                )
        return found

    def _resolved(self, event: Event) -> End:
        if event.agreements is not None:
            named = [one for one in self.agreements if one.id in event.agreements]
        else:
            triggers = [(one, one.disposition.trigger) for one in self.agreements]
            named = [one for one, trigger in triggers if trigger and trigger.policy == event.policy]
        covered = tuple(
            Dataset(one.id, feed, event.from_, event.to)
            for one in named
            for feed in one.datasets
            if event.feeds is None or feed in event.feeds
        )
        row = {name: getattr(event, name) for name in Event.model_fields}
        return End.model_construct(**row, datasets=covered)


def _first_in_force(bases: Iterable[LegalBasis], day: dt.date, known_on: dt.date | None) -> LegalBasis | None:
    return next((basis for basis in bases if basis.in_force(day, known_on)), None)
