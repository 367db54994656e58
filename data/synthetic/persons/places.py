"""Where people are treated: the sites of the synthetic England, and whose each is on a day.

A site that changes trust, or whose trust becomes another, keeps its code: what changes is the provider that sends its
records. Stays in it on that day end under the old code and begin again under the new one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.synthetic.england import England
from data.synthetic.events import APRIL, DECEMBER, MOVED_FROM, MOVED_SITE, MOVED_TO
from data.synthetic.geography import ICBS
from data.synthetic.persons.chance import Ints, choices
from data.synthetic.persons.clock import day_number

ACUTE, SPECIALIST, URGENT = 0, 1, 2
_FAR = day_number(DECEMBER) + 100_000

# Site, first owner, later owner, day of the change.
_CHANGES = (
    ("ZF001", "ZF0", "ZF2", APRIL),
    ("ZF101", "ZF1", "ZF2", APRIL),
    ("ZF301", "ZF3", "ZF4", APRIL),
    ("ZF401", "ZF4", "ZF4", APRIL),
    ("ZF501", "ZF5", "ZF6", DECEMBER),
    ("ZF502", "ZF5", "ZF7", DECEMBER),
    ("ZF601", "ZF6", "ZF6", DECEMBER),
    ("ZF701", "ZF7", "ZF7", DECEMBER),
    ("ZF801", "ZF8", "ZG0", DECEMBER),
    ("ZF802", "ZF8", "ZG1", DECEMBER),
    ("ZG201", "ZG2", "ZG3", DECEMBER),
    (MOVED_SITE, MOVED_FROM, MOVED_TO, DECEMBER),
)


@dataclass(frozen=True)
class Places:
    """Sites and providers by number; `owner` and `next_owner` are numbers of providers."""

    sites: tuple[str, ...]
    providers: tuple[str, ...]
    kind: Ints
    owner: Ints
    next_owner: Ints
    changes_on: Ints
    for_ae: Ints
    for_beds: Ints
    practices: tuple[str, ...]
    area_of_practice: Ints

    def provider(self, site: Ints, day: Ints) -> Ints:
        """Who sends the site's records of that day."""
        return np.where(day >= self.changes_on[site], self.next_owner[site], self.owner[site])

    def site_number(self, code: str) -> int:
        """The number of a site."""
        return self.sites.index(code)


def build_places(england: England) -> Places:
    """Every site at which people are treated, and the practices that they are registered with."""
    trusts = {trust.code: trust for trust in england.trusts}
    rows: list[tuple[str, int, str, str, int, int]] = []
    for trust in england.stable_trusts:
        kind = {"acute": ACUTE, "specialist": SPECIALIST}.get(trust.kind, URGENT)
        area = ICBS.index(trust.icb) if trust.icb else 0
        rows.append((f"{trust.code}01", kind, trust.code, trust.code, _FAR, area))
    for site, before, after, day in _CHANGES:
        icb = trusts[before].icb
        kind = URGENT if site == MOVED_SITE else ACUTE
        rows.append((site, kind, before, after, day_number(day), ICBS.index(icb) if icb else 0))
    for site_ in england.sites:
        if site_.code.startswith("ZS") and site_.code != MOVED_SITE:
            parent = site_.parent_code or ""
            owner = parent if parent in trusts else site_.code
            area = ICBS.index(site_.icb) if site_.icb else 0
            rows.append((site_.code, URGENT, owner, owner, _FAR, area))
    for other in england.unlisted:
        if len(other.code) == 5:
            area = ICBS.index(other.icb) if other.icb else 0
            rows.append((other.code, URGENT, other.code, other.code, _FAR, area))
    providers = tuple(sorted({code for row in rows for code in row[2:4]}))
    open_practices = [practice for practice in england.practices if practice.status == "A" and practice.setting == "4"]

    def tables(weights: tuple[float, float, float]) -> Ints:
        """One a home area: nine in ten go where they live."""
        return np.stack(
            [
                choices([weights[kind] * (1.0 if home == area else 0.004) for _, kind, _, _, _, area in rows])
                for home in range(len(ICBS))
            ]
        )

    return Places(
        sites=tuple(row[0] for row in rows),
        providers=providers,
        kind=np.array([row[1] for row in rows]),
        owner=np.array([providers.index(row[2]) for row in rows]),
        next_owner=np.array([providers.index(row[3]) for row in rows]),
        changes_on=np.array([row[4] for row in rows]),
        for_ae=tables((1.0, 0.0, 0.22)),
        for_beds=tables((1.0, 0.3, 0.0)),
        practices=tuple(practice.code for practice in open_practices),
        area_of_practice=np.array(
            [ICBS.index(practice.icb) if practice.icb else 0 for practice in open_practices], dtype=np.int64
        ),
    )
