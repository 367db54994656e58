"""Where a figure counts: nation, region, ICB, trust, site, practice; and what became of organisations."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

NATION = "E92000001"
NO_PRACTICE = "V81999"

Place = tuple[str, str]
"""Level and code."""


@dataclass(frozen=True)
class Statement:
    """What an issue of the trust list of a day says of a trust's region or ICB (null: nothing)."""

    stated_on: dt.date
    provider_code: str
    region_code: str | None
    icb_code: str | None


@dataclass(frozen=True)
class Succession:
    """From `effective_date` the successor stands in the organisation's place."""

    org_code: str
    successor_code: str
    effective_date: dt.date


@dataclass(frozen=True)
class Organisations:
    """What the lists of organisations say."""

    statements: tuple[Statement, ...] = ()
    successions: tuple[Succession, ...] = ()
    _successors: dict[str, set[str]] = field(init=False, default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        """Put the successors of each code together."""
        for one in self.successions:
            self._successors[one.org_code].add(one.successor_code)

    def above(self, provider_code: str, day: dt.date) -> list[Place]:
        """A provider's region and ICB on a day, as far as the list knows them."""
        return [
            (level, code)
            for level in ("region", "icb")
            if (code := self._stated(provider_code, f"{level}_code", day)) is not None
        ]

    def _stated(self, provider_code: str, attribute: str, day: dt.date) -> str | None:
        stated = sorted(
            (one.stated_on, value)
            for one in self.statements
            if one.provider_code == provider_code and (value := getattr(one, attribute)) is not None
        )
        by_then = [value for stated_on, value in stated if stated_on <= day]
        # Before the first issue it was as in the first issue.
        return by_then[-1] if by_then else stated[0][1] if stated else None

    def places(self, provider_code: str, site_code: str, day: dt.date) -> list[Place]:
        """Nation, region, ICB, trust and site of a figure; a site that has its provider's code is not another row."""
        places = [("nation", NATION), *self.above(provider_code, day), ("trust", provider_code)]
        return places if site_code == provider_code else [*places, ("site", site_code)]

    def lineage(self, provider_code: str) -> str:
        """The code at the end of the chain of successions; a code with several successors ends it."""
        successors = self._successors.get(provider_code, set())
        return self.lineage(*successors) if len(successors) == 1 else provider_code

    def takes_over(self, provider_code: str, successor_code: str, day: dt.date) -> bool:
        """Whether the one takes the other's place from this very day."""
        return Succession(provider_code, successor_code, day) in self.successions
