"""Providers whose person-level records say what their aggregate returns say, so that the two can be reconciled.

| feed | whom | when | equal to |
|---|---|---|---|
| ecds_attendances | AE_PROVIDERS | April 2020 | `ae_monthly`: attendances by department, over four hours |
| apc_spells | BED_PROVIDERS | 08:00 of 2 to 31 December 2019 | `uec_sitrep`: general and acute beds occupied |

Planted: AE_SHORT has lost a tenth of its attendances on the way, BED_SHORT one in twelve of its patients. Everybody
else's person-level records are a sample of the size that was asked for and nowhere near the returns.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise

import numpy as np

from data.synthetic.ae_activity import FEED as AE_FEED
from data.synthetic.ae_activity import ae_publications
from data.synthetic.england import England
from data.synthetic.persons.chance import Bools, Chance, choices, quantiles
from data.synthetic.persons.clock import DAY, HOUR, NEVER, day_number, local_day, midnight, within_day
from data.synthetic.persons.distributions import ARRIVALS
from data.synthetic.persons.people import People
from data.synthetic.persons.records import COMMON_FUNCTIONS, METHODS, Attendances, Spells, select, together
from data.synthetic.publication import Publication, month_end
from data.synthetic.winter_activity import FEED as WINTER_FEED
from data.synthetic.winter_activity import GENERAL_ACUTE, winter_publications

AE_MONTH = dt.date(2020, 4, 1)
AE_PROVIDERS = ("ZA0", "ZD3", "ZS001", "ZS008", "ZS014", "ZS015")
AE_SHORT, AE_SHORT_BY = "ZS008", 10
BED_FIRST, BED_LAST = dt.date(2019, 12, 2), dt.date(2019, 12, 31)
BED_PROVIDERS = ("ZD0", "ZD1", "ZD2", "ZB1")
BED_SHORT, BED_SHORT_BY = "ZD1", 12
FIRST_ID = 1 << 36
EIGHT = 8 * HOUR

_WITHIN = quantiles((0, 6), (0.2, 70), (0.5, 140), (0.8, 228), (1, 240))
_OVER = quantiles((0, 241), (0.5, 300), (0.9, 560), (0.98, 900), (1, 2000))
_SO_FAR = quantiles((0, 0), (0.4, 3), (0.8, 12), (1, 45))
_STILL = quantiles((0, 0), (0.4, 2), (0.8, 9), (1, 40))
_OUT = quantiles((0, 60), (0.9, 720), (1, 1379))


class Mirror:
    """The records of those providers, where the days asked for hold theirs."""

    def __init__(
        self,
        england: England,
        people: People,
        first: int,
        last: int,
        told: Mapping[str, list[Publication]] | None = None,
    ) -> None:
        """`told` is what the aggregate feeds publish, where somebody has it already."""
        self._told = told
        self.england, self.people, self.places = england, people, people.places
        self.chance = Chance(people.seed, "mirror")
        self.has_ae = first <= day_number(AE_MONTH) and day_number(month_end(AE_MONTH)) <= last
        self.has_beds = first <= day_number(BED_FIRST) and day_number(BED_LAST) <= last

    def _providers(self, codes: tuple[str, ...]) -> list[int]:
        return [self.places.providers.index(code) for code in codes]

    def spares_attendances(self, of: Attendances) -> Bools:
        """Which of the other attendances may be sent: not those in the place and month of these."""
        if not self.has_ae:
            return np.ones(len(of.id), dtype=bool)
        day = local_day(of.arrival)
        inside = (day >= day_number(AE_MONTH)) & (day <= day_number(month_end(AE_MONTH)))
        return ~(inside & np.isin(of.provider, self._providers(AE_PROVIDERS)))

    def spares_spells(self, of: Spells) -> Bools:
        """Which of the other spells may be sent: not those in the beds of these."""
        if not self.has_beds:
            return np.ones(len(of.id), dtype=bool)
        begins, ends = (int(midnight(np.array([day_number(day)]))[0]) for day in (BED_FIRST, BED_LAST))
        inside = (of.admission <= ends + DAY) & (of.discharge >= begins)
        return ~(inside & np.isin(of.provider, self._providers(BED_PROVIDERS)))

    @cached_property
    def attendances(self) -> Attendances | None:
        """The month of attendances."""
        if not self.has_ae:
            return None
        publications = self._told[AE_FEED] if self._told else ae_publications(self.england, self.people.seed)
        [told] = [one for one in publications if any(start == AE_MONTH for _, start in one.figures)]
        parts, begin = [], 0
        for code in AE_PROVIDERS:
            for department in ("type_1", "type_2", "other"):
                came = _figure(told, "attendances", department, code)
                over = _figure(told, "over_four_hours", department, code)
                if came:
                    part = self._month(code, department, came, came // 9 if over is None else over, begin)
                    kept = np.arange(came) % AE_SHORT_BY != 0 if code == AE_SHORT else np.arange(came) >= 0
                    parts.append(select(part, kept))
                    begin += came
        return together(parts)

    def _month(self, code: str, department: str, came: int, over: int, begin: int) -> Attendances:
        draw, places = self.chance, self.places
        ids = FIRST_ID + (begin + np.arange(came, dtype=np.int64)) * 4
        person = self.people.drawn(draw, ids, 1.0)
        days = month_end(AE_MONTH).day
        day = day_number(AE_MONTH) + draw.below("day", ids, days)
        arrival = within_day(day, draw.spread("arrival", ids, ARRIVALS))
        long = np.arange(came) < over
        minutes = np.where(long, draw.spread("over", ids, _OVER), draw.spread("within", ids, _WITHIN))
        assessment = arrival + np.minimum(minutes, 2 + draw.below("assessment", ids, 25))
        treatment = np.minimum(arrival + minutes, assessment + draw.below("treatment", ids, 90))
        site = next(number for number, owner in enumerate(places.owner) if places.providers[owner] == code)
        admitted = draw.happens("admitted", ids, 0.25) & (department == "type_1")
        kinds = {"type_1": 0, "type_2": 1, "other": 2}
        return Attendances(
            ids,
            person,
            np.full(came, site),
            np.full(came, places.providers.index(code)),
            kinds[department]
            + (draw.below("walk-in", ids, 2) if department == "other" else np.zeros(came, dtype=np.int64)),
            draw.choose("category", ids, choices([96, 3, 1])),
            arrival,
            assessment,
            treatment,
            np.where(admitted, (treatment + arrival + minutes) // 2, NEVER),
            arrival + minutes,
        )

    @cached_property
    def spells(self) -> Spells | None:
        """The month of stays."""
        if not self.has_beds:
            return None
        issues = self._told[WINTER_FEED] if self._told else winter_publications(self.england, self.people.seed)
        told = issues[-1]
        rows: list[tuple[int, int, int, int]] = []
        for code in BED_PROVIDERS:
            occupied: dict[int, int] = {}
            for (metric_id, start), by_code in told.figures.items():
                if metric_id == GENERAL_ACUTE[3] and by_code.get(code) is not None:
                    beds = int(by_code[code] or 0)
                    missing = beds // BED_SHORT_BY if code == BED_SHORT else 0
                    occupied[day_number(told.period_end(metric_id, start))] = beds - missing
            rows += self._beds(code, occupied, len(rows))
        return self._as_spells(rows)

    def _beds(self, code: str, occupied: dict[int, int], begin: int) -> list[tuple[int, int, int, int]]:
        """Site, number, first and last instant of stays that fill so many beds at 08:00 of each day."""
        draw, places = self.chance, self.places
        site = next(number for number, owner in enumerate(places.owner) if places.providers[owner] == code)
        days = sorted(occupied)
        eight = dict(zip(days, (midnight(np.array(days)) + EIGHT).tolist(), strict=True))
        # More numbers than there can be stays: a bed has a new patient every fourth day at most.
        numbers = begin + np.arange(max(occupied.values()) * (2 + len(days) // 2), dtype=np.int64)
        out, into = (draw.spread(purpose, numbers, _OUT).tolist() for purpose in ("out", "in"))
        hour = draw.below("hour", numbers, DAY)
        since = (eight[days[0]] - 5 - draw.spread("so far", numbers, _SO_FAR) * DAY - hour).tolist()
        still = (draw.spread("still", numbers, _STILL) * DAY).tolist()
        inside = [(which, since[which]) for which in range(occupied[days[0]])]
        begun = len(inside)
        done: list[tuple[int, int, int, int]] = []
        for day, following in pairwise(days):
            now, then = occupied[day], occupied[following]
            leave = max(now // 8, now - then)
            places_in_queue = draw.below(f"leaves {day}", begin + np.array([which for which, _ in inside]), 1 << 31)
            order = [inside[place] for place in np.argsort(places_in_queue, kind="stable").tolist()]
            done += [(site, begin + which, start, eight[day] + 1 + out[which]) for which, start in order[:leave]]
            new = range(begun, begun + then - (now - leave))
            inside = [*order[leave:], *((which, eight[day] + 1 + into[which]) for which in new)]
            begun = new.stop
        last = eight[days[-1]] + 1
        return [*done, *((site, begin + which, start, last + still[which] + out[which]) for which, start in inside)]

    def _as_spells(self, rows: list[tuple[int, int, int, int]]) -> Spells:
        draw = self.chance
        site, number, since, until = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
        count = len(number)
        # Everybody once, so that no stay of these runs into another.
        step = 7919 if self.people.numbered % 7919 else 7907
        person = (number * step + 13) % self.people.numbered
        ids = FIRST_ID + number * 16
        day = local_day(since)
        elective = draw.happens("elective", ids, 0.3)
        return together(
            [
                Spells(
                    ids,
                    person,
                    site,
                    self.places.provider(site, day),
                    np.ones(count, dtype=np.int64),
                    np.where(elective, METHODS.index("11"), METHODS.index("21")),
                    np.zeros(count, dtype=np.int64),
                    since,
                    until,
                    np.zeros(count, dtype=np.int64),
                    draw.below("function", ids, COMMON_FUNCTIONS),
                    draw.below("code", ids, 10),
                )
            ]
        )


def _figure(told: Publication, measure: str, department: str, code: str) -> int | None:
    """What the return says, booked appointments with it; None where a part was not reported."""
    parts = [
        by_code[code]
        for (metric_id, start), by_code in told.figures.items()
        if start == AE_MONTH and metric_id.split("__")[0] in (f"{measure}_not_booked", f"{measure}_booked")
        and metric_id.split("__")[1] == department and code in by_code
    ]  # fmt: skip
    return None if not parts or None in parts else int(sum(part or 0 for part in parts))


def planted() -> list[list[object]]:
    """What is missing on purpose: what, feed, provider, first and last day, and how large."""
    return [
        ["lost_attendances", "ecds_attendances", AE_SHORT, AE_MONTH, month_end(AE_MONTH), 1 / AE_SHORT_BY],
        ["short_census", "apc_spells", BED_SHORT, BED_FIRST, BED_LAST, 1 / BED_SHORT_BY],
    ]
