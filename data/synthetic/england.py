"""The fictional organisations of the synthetic England.

Codes and names do not depend on the seed; the fourteen field-test trusts do. Every code begins with Z
(primary care networks: U000, commissioning groups: 9Z), chosen so that no real organisation is meant, and
every name says that it is fictional.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from data.synthetic.events import (
    DECEMBER,
    MOVED_SITE,
    MOVED_TO,
    SITES_OF_SPLIT,
    changing_trusts,
    parent_before,
    sites_of_split,
)
from data.synthetic.geography import ICBS, LONDON, NORTH_EAST, REGIONS, WALES
from data.synthetic.organisations import Organisation, Practice
from data.synthetic.places import PLACES

FIELD_TEST_TRUSTS = 14


@dataclass(frozen=True)
class England:
    """Every organisation, by the list that holds it, and the trusts of the A&E field test."""

    trusts: tuple[Organisation, ...]
    sites: tuple[Organisation, ...]
    practices: tuple[Practice, ...]
    unlisted: tuple[Organisation, ...]
    field_test: frozenset[str]
    changing: tuple[Organisation, ...]

    @property
    def organisations(self) -> tuple[Organisation, ...]:
        """All of them."""
        return (*self.trusts, *self.sites, *self.practices, *self.unlisted)

    def icb_code(self, organisation: Organisation, day: dt.date) -> str | None:
        """Code of the STP/ICB in which ODS has the organisation on that day: a site is where its trust is."""
        if isinstance(organisation, Practice):
            return organisation.icb.code if organisation.icb and organisation.pcn_code else None
        parent = parent_before(organisation) if day < DECEMBER else organisation.parent_code
        trust = next((trust for trust in self.trusts if trust.code in (organisation.code, parent)), None)
        return trust.icb.code if trust and trust.icb else None

    @property
    def stable_trusts(self) -> tuple[Organisation, ...]:
        """Trusts that make returns and stay what they are."""
        changing = {trust.code for trust in self.changing}
        usual = ("acute", "specialist", "community")
        return tuple(trust for trust in self.trusts if trust.kind in usual and trust.code not in changing)

    @property
    def hospital_trusts(self) -> tuple[Organisation, ...]:
        """Trusts with beds for acute care, those that change among them."""
        return (*(trust for trust in self.stable_trusts if trust.kind != "community"), *self.changing)

    @property
    def ambulance_trusts(self) -> tuple[Organisation, ...]:
        """One ambulance service a region."""
        return tuple(trust for trust in self.trusts if trust.kind == "ambulance")

    @property
    def ae_providers(self) -> tuple[Organisation, ...]:
        """Who makes the monthly A&E return: trusts, sites, practices, and codes that no list holds."""
        trusts = self.stable_trusts
        sites = [site for site in self.sites if site.code.startswith("ZS")]
        practices = [practice for practice in self.practices[::4] if practice.status == "A"]
        unlisted = [other for other in self.unlisted if len(other.code) > 4]
        return (*trusts, *sites[:20], *practices[:14], *unlisted, *self.changing)

    @property
    def sitrep_providers(self) -> tuple[Organisation, ...]:
        """Who makes the daily COVID-19 return: trusts, sites, and a four-character code of no list."""
        split = {trust for trust, _ in SITES_OF_SPLIT.values()}
        changing = [trust for trust in self.changing if trust.code not in split]
        sites = [site for site in self.sites if site.code.startswith("ZS") or site.code in SITES_OF_SPLIT]
        return (*self.stable_trusts, *sites, *[other for other in self.unlisted if len(other.code) == 4], *changing)


def build_england(seed: int) -> England:
    """The organisations; `seed` draws which fourteen of the acute trusts take part in the field test."""
    acute = _acute_trusts()
    codes = [trust.code for trust in acute]
    field_test = random.Random(f"{seed}:field test").sample(codes, FIELD_TEST_TRUSTS)
    changing = changing_trusts()
    return England(
        trusts=(*acute, *_other_trusts(), *_dormant_trusts(), *changing, *_ambulance_trusts()),
        sites=(*_main_hospitals(acute), *_own_return_sites(acute), *sites_of_split(changing)),
        practices=_practices(),
        unlisted=_unlisted(),
        field_test=frozenset(field_test),
        changing=changing,
    )


def _acute_trusts() -> tuple[Organisation, ...]:
    codes = [f"Z{letter}{digit}" for letter in "ABC" for digit in range(10)][:28]
    styles = (
        "HOSPITALS NHS FOUNDATION TRUST",
        "UNIVERSITY HOSPITALS NHS TRUST",
        "GENERAL HOSPITAL NHS TRUST",
    )
    return tuple(
        Organisation(
            code,
            f"FICTIONAL {PLACES[number].upper()} {styles[number % 3]}",
            "acute",
            "trust",
            ICBS[number % len(ICBS)].region,
            ICBS[number % len(ICBS)],
            PLACES[number],
            dt.date(1992 + number % 20, 4, 1),
        )
        for number, code in enumerate(codes)
    )


def _other_trusts() -> tuple[Organisation, ...]:
    styles = (
        ("specialist", "HEART AND CHEST HOSPITAL NHS FOUNDATION TRUST"),
        ("specialist", "ORTHOPAEDIC HOSPITAL NHS TRUST"),
        ("specialist", "CANCER CENTRE NHS FOUNDATION TRUST"),
        ("community", "COMMUNITY HEALTH SERVICES NHS TRUST"),
        ("community", "COMMUNITY HEALTHCARE NHS FOUNDATION TRUST"),
        ("community", "PARTNERSHIP NHS FOUNDATION TRUST"),
        ("community", "MENTAL HEALTH NHS TRUST"),
        ("community", "COMMUNITY CARE NHS TRUST"),
    )
    return tuple(
        Organisation(
            f"ZD{number}",
            f"FICTIONAL {PLACES[28 + number].upper()} {style}",
            "specialist" if kind == "specialist" else "community",
            "trust",
            ICBS[number].region,
            ICBS[number],
            PLACES[28 + number],
            dt.date(2001 + number, 4, 1),
        )
        for number, (kind, style) in enumerate(styles)
    )


def _ambulance_trusts() -> tuple[Organisation, ...]:
    return tuple(
        Organisation(
            f"ZH{number}",
            f"FICTIONAL {region.name.upper()} AMBULANCE SERVICE NHS TRUST",
            "ambulance",
            "trust",
            region,
            next(icb for icb in ICBS if icb.region is region),
            PLACES[110 + number],
            dt.date(2006, 7, 1),
        )
        for number, region in enumerate(REGIONS)
    )


def _dormant_trusts() -> tuple[Organisation, ...]:
    """Trusts that the list keeps and no return names: merged away, open for weeks, opened later, in Wales."""
    return (
        Organisation(
            "ZE0",
            "FICTIONAL OLD EMBERWICK HOSPITALS NHS TRUST",
            "dormant",
            "trust",
            NORTH_EAST,
            ICBS[13],
            "Emberwick",
            dt.date(1993, 4, 1),
            dt.date(2019, 3, 31),
        ),
        Organisation(
            "ZE1",
            "FICTIONAL PROJECT LANTERN NHS TRUST",
            "dormant",
            "trust",
            LONDON,
            ICBS[0],
            "Tarnholt",
            dt.date(2020, 3, 1),
            dt.date(2020, 3, 26),
        ),
        Organisation(
            "ZE2",
            "Fictional Wrenstow University Hospitals NHS Foundation Trust",
            "dormant",
            "trust",
            ICBS[8].region,
            ICBS[8],
            "Wrenstow",
            dt.date(2020, 10, 1),
        ),
        Organisation(
            "ZW1",
            "FICTIONAL TARNDALE LOCAL HEALTH BOARD",
            "dormant",
            "trust",
            WALES,
            None,
            "Tarndale",
            dt.date(2009, 10, 1),
        ),
    )


def _main_hospitals(acute: tuple[Organisation, ...]) -> tuple[Organisation, ...]:
    """One hospital of each acute trust: listed, and without a return of its own."""
    return tuple(
        Organisation(
            f"{trust.code}01",
            f"Fictional {trust.place} Hospital",
            "site",
            "site",
            trust.region,
            trust.icb,
            trust.place,
            parent_code=trust.code,
            parent_name=trust.name.title().replace("Nhs", "NHS"),
        )
        for trust in acute
    )


def _own_return_sites(acute: tuple[Organisation, ...]) -> tuple[Organisation, ...]:
    """Sites with returns of their own: fifteen of independent providers, six of NHS trusts."""
    sites = []
    for number in range(1, 22):
        icb = ICBS[(number * 2) % len(ICBS)]
        place = PLACES[36 + number]
        style = ("Walk-in Centre", "Hospital", "Urgent Treatment Centre")[number % 3]
        name = f"Fictional Sainte-\u00c9lise {style}" if number == 7 else f"Fictional {place} {style}"
        code = f"ZS{number:03d}"
        trust = next(trust for trust in acute if (trust.code == MOVED_TO if code == MOVED_SITE else trust.icb == icb))
        independent = number <= 15
        sites.append(
            Organisation(
                code,
                name,
                "site",
                "site",
                icb.region,
                icb,
                place,
                parent_code=f"ZI{number % 4}" if independent else trust.code,
                parent_name=f"Fictional Independent Health {number % 4} Ltd"
                if independent
                else trust.name.title().replace("Nhs", "NHS"),
            )
        )
    return tuple(sites)


def _practices() -> tuple[Practice, ...]:
    """Sixty rows: open practices, and at the end closed, dormant, proposed and non-practice prescribers."""
    special = {57: ("C", "4"), 58: ("D", "4"), 59: ("P", "4"), 60: ("A", "10")}
    practices = []
    for number in range(1, 61):
        icb = ICBS[(number * 4) % len(ICBS)]
        place = PLACES[60 + number]
        status, setting = special.get(number, ("A", "4"))
        network = f"U000{(number * 4) % len(ICBS) * 2 + number % 2 + 1:02d}"
        pcn_code, pcn_name = network, f"FICTIONAL {network[-2:]} PCN"
        if number <= 2:
            pcn_code, pcn_name = "U", "Unallocated"
        practices.append(
            Practice(
                f"ZP{number:04d}",
                f"FICTIONAL {place.upper()} SURGERY",
                "practice",
                "gp_practice",
                icb.region,
                icb,
                place,
                dt.date(1974 + number % 40, 4, 1),
                dt.date(2019, 6, 30) if status == "C" else None,
                status=status,
                setting=setting,
                pcn_code=None if number in special else pcn_code,
                pcn_name=None if number in special else pcn_name,
            )
        )
    return tuple(practices)


def _unlisted() -> tuple[Organisation, ...]:
    """Codes in returns that no list holds: a hospice, two five-character sites, two walk-in centres."""
    names = {
        "ZQ01": "FICTIONAL OTTERCOMBE HOSPICE",
        "ZS901": "FICTIONAL UMBERGARTH URGENT CARE CENTRE",
        "ZS902": "FICTIONAL SABLEBECK MINOR INJURY UNIT",
        "ZY0001": "FICTIONAL VIOLETDALE WALK IN CENTRE",
        "ZY0002": "FICTIONAL MARLTHORPE WALK IN CENTRE",
    }
    return tuple(
        Organisation(code, name, "unlisted", "other", ICBS[number * 3].region, ICBS[number * 3])
        for number, (code, name) in enumerate(names.items())
    )
