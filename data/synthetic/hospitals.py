"""How many beds each trust has, and what stood in them on a day: one world that three collections report.

The winter situation report, the monthly census of critical care and the quarterly KH03 look at the same beds, so
that what one says can be checked against another.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from functools import cache

from data.synthetic.organisations import Organisation

BED_TYPES = ("general_acute", "adult_critical_care", "paediatric_intensive_care", "neonatal_critical_care")


@dataclass(frozen=True)
class Beds:
    """Usual beds of one trust."""

    general_acute: int = 0
    adult_critical_care: int = 0
    paediatric_intensive_care: int = 0
    neonatal_critical_care: int = 0
    maternity: int = 0
    learning_disabilities: int = 0
    mental_illness: int = 0


@dataclass(frozen=True)
class Stock:
    """Beds of one kind at 08:00 on a day."""

    core: int
    escalation: int
    occupied: int

    @property
    def open(self) -> int:
        """All that are open."""
        return self.core + self.escalation


@cache
def usual_beds(trust: Organisation, seed: int) -> Beds:
    """The beds of a trust, from its kind."""
    chance = random.Random(f"{seed}:beds:{trust.code}")
    if trust.kind == "acute":
        return Beds(
            chance.randint(320, 980),
            chance.randint(12, 60),
            chance.randint(6, 20) if chance.random() < 0.2 else 0,
            chance.randint(8, 40) if chance.random() < 0.7 else 0,
            chance.randint(30, 90),
            0,
            chance.randint(20, 60) if chance.random() < 0.15 else 0,
        )
    if trust.kind == "specialist":
        return Beds(chance.randint(80, 200), chance.randint(8, 24))
    return Beds(
        general_acute=chance.randint(20, 120) if chance.random() < 0.6 else 0,
        learning_disabilities=chance.randint(6, 40) if chance.random() < 0.5 else 0,
        mental_illness=chance.randint(60, 400),
    )


@cache
def stocks(trust: Organisation, day: dt.date, seed: int) -> dict[str, Stock]:
    """What was open and occupied on that day, by bed type; occupied is never more than open."""
    beds = usual_beds(trust, seed)
    chance = random.Random(f"{seed}:beds:{trust.code}:{day}")
    core = round(beds.general_acute * 0.97 * chance.uniform(0.995, 1.005))
    escalation = round(beds.general_acute * chance.uniform(0.02, 0.04))
    found = {"general_acute": Stock(core, escalation, round((core + escalation) * chance.uniform(0.88, 0.985)))}
    for bed_type, busy in zip(BED_TYPES[1:], ((0.72, 0.95), (0.6, 1.0), (0.55, 0.85)), strict=True):
        size = getattr(beds, bed_type)
        number = max(0, size + chance.randint(-1, 1)) if size else 0
        found[bed_type] = Stock(number, 0, min(number, round(number * chance.uniform(*busy))))
    return found
