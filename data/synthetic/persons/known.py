"""What is known when every file has been read: of each record the version that counts, and the stays of spells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from data.synthetic.england import England
from data.synthetic.events import SUCCESSIONS
from data.synthetic.persons.chance import Ints
from data.synthetic.persons.clock import NEVER, day_number, local_day
from data.synthetic.persons.feeds import FORMS
from data.synthetic.persons.layout import Layout
from data.synthetic.persons.records import (
    COVID_FROM,
    DEPARTMENTS,
    FUNCTIONS,
    LABS,
    METHODS,
    PRIMARY_FROM,
    SOURCES,
    UNIT_FUNCTIONS,
)

NO_PRACTICE = "V81999"
TRANSFERRED = {"49", "50", "51", "52", "53", "84", "87"}
UNITS = {
    "adult_critical_care": ("01", "02", "03", "05", "06", "07", "08", "09", "10", "11", "12", "90"),
    "paediatric_intensive_care": ("04", "16", "17", "18", "19", "92"),
    "neonatal_critical_care": ("13", "14", "15", "91"),
}
KINDS = {"01": "type_1", "02": "type_2", "03": "other", "04": "other"}


@dataclass
class Stay:
    """Spells, by their places in the list of spells; `merged` those that only a change of owner put to it."""

    spells: list[int]
    merged: list[int]
    last: int = 0


class Known:
    """Records by feed as tables. `no_age` are the numbers of those whose birth date is no date; `horizons` days D."""

    def __init__(
        self,
        england: England,
        layout: Layout,
        records: dict[str, Any],
        no_age: dict[str, Ints],
        horizons: dict[str, int],
    ) -> None:
        self.layout, self.no_age, self.horizons = layout, no_age, horizons
        places = layout.places
        self.sites, self.providers = np.array(places.sites), np.array(places.providers)
        trusts = {trust.code: trust for trust in england.trusts}
        self.region = {code: trusts[code].region.code for code in places.providers if code in trusts}
        self.icb = {code: icb.code for code in places.providers if code in trusts and (icb := trusts[code].icb)}
        self.takes_over = {(one.old, one.new, day_number(one.day)) for one in SUCCESSIONS}
        self.lineage = {code: _end_of_chain(code) for code in places.providers}
        self.practices = self._registered(records["gp_registrations"])
        self.homes = self._residents(records["care_home_residents"])
        self.attendances = self._attendances(records["ecds_attendances"])
        self.positives = self._positives(records["covid_tests"])
        self.spells = self._spells(records["apc_spells"])
        self.critical_care = self._critical_care(records["critical_care_periods"])
        self.stays = list(self._stays())

    def person(self, feed: str, records: Any) -> Ints:
        """The person of each record, -1 where it comes without a number."""
        known = self.layout.has_number(records.person, records.id, FORMS[feed].missing_numbers)
        return np.where(known, records.person, -1)

    def age_band(self, feed: str, records: Any, day: Ints) -> list[str]:
        """The band on that day."""
        birth = self.layout.people.birth_day(records.person).astype("datetime64[D]")
        at = day.astype("datetime64[D]")
        years = (at.astype("datetime64[Y]") - birth.astype("datetime64[Y]")).astype(np.int64)
        in_year_at = (at.astype("datetime64[M]") - at.astype("datetime64[Y]")).astype(np.int64) * 40 + (
            at - at.astype("datetime64[M]")
        ).astype(np.int64)
        in_year = (birth.astype("datetime64[M]") - birth.astype("datetime64[Y]")).astype(np.int64) * 40 + (
            birth - birth.astype("datetime64[M]")
        ).astype(np.int64)
        years = years - (in_year_at < in_year)
        bands = np.array(["0_5", "6_17", "18_64", "65_84", "85_plus"])[
            np.searchsorted([6, 18, 65, 85], years, side="right")
        ]
        bands[np.isin(records.id, self.no_age[feed])] = "unknown"
        return bands.tolist()

    def _registered(self, of: Any) -> dict[int, list[tuple[int, str, int]]]:
        found: dict[int, list[tuple[int, str, int]]] = defaultdict(list)
        codes = self.layout.places.practices
        for person, place, start, end in zip(
            of.person.tolist(), of.place.tolist(), of.start.tolist(), of.end.tolist(), strict=True
        ):
            found[person].append((start, codes[place], end))
        return found

    def _practice(self, person: int, day: int) -> str:
        held = [
            (start, code)
            for start, code, end in self.practices.get(person, ())
            if start <= day and (end == NEVER or day < end)
        ]
        return max(held)[1] if held else NO_PRACTICE

    def _residents(self, of: Any) -> dict[int, list[tuple[int, int]]]:
        found: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for person, start, end in zip(of.person.tolist(), of.start.tolist(), of.end.tolist(), strict=True):
            found[person].append((start, end))
        return found

    def _positives(self, of: Any) -> dict[int, list[tuple[int, str, str]]]:
        """Positive specimens of each person in order."""
        found: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
        person = self.person("covid_tests", of)
        for row in np.flatnonzero((of.result == 0) & (person >= 0)).tolist():
            lab = LABS[int(of.lab[row])]
            found[int(person[row])].append((int(of.specimen_day[row]), lab, f"{lab}T{of.id[row]}"))
        return {one: sorted(tests) for one, tests in found.items()}

    def _positive_from(self, person: int, day: int) -> int | None:
        """Day of the first positive specimen on the day or later."""
        return next((taken for taken, _, _ in self.positives.get(person, ()) if taken >= day), None)

    def _attendances(self, of: Any) -> pl.DataFrame:
        frame = pl.DataFrame(
            {name: getattr(of, name) for name in ("arrival", "assessment", "treatment", "decision", "departure")}
        )
        frame = frame.with_columns(pl.all().replace(NEVER, None))
        person, day = self.person("ecds_attendances", of), local_day(of.arrival)
        provider = self.providers[of.provider]
        return frame.with_columns(
            pl.Series("person", person),
            pl.Series("day", day),
            pl.Series("provider", provider.tolist()),
            pl.Series("site", self.sites[of.site].tolist()),
            pl.Series(
                "practice", [self._practice(one, at) for one, at in zip(person.tolist(), day.tolist(), strict=True)]
            ),
            pl.Series(
                "number", [f"{code}E{number}" for code, number in zip(provider.tolist(), of.id.tolist(), strict=True)]
            ),
            pl.Series("kind", [KINDS.get(DEPARTMENTS[number]) for number in of.department.tolist()]),
            pl.Series("category", of.category),
        ).filter(pl.col("kind").is_not_null() & (pl.col("category") < 3))

    def _spells(self, of: Any) -> pl.DataFrame:
        feed = "apc_spells"
        day, person = local_day(of.admission), self.person(feed, of)
        provider = self.providers[of.provider].tolist()
        is_open = of.discharge == NEVER
        return pl.DataFrame(
            {
                "id": of.id,
                "person": person,
                "provider": provider,
                "site": self.sites[of.site].tolist(),
                "number": [f"{code}S{number}" for code, number in zip(provider, of.id.tolist(), strict=True)],
                "practice": [self._practice(one, at) for one, at in zip(person.tolist(), day.tolist(), strict=True)],
                "patient_class": of.patient_class,
                "method": np.array(METHODS)[of.method].tolist(),
                "source": np.array(SOURCES)[of.source].tolist(),
                "destination": np.where(is_open, "", np.array(SOURCES)[of.destination]).tolist(),
                "admission": of.admission,
                "discharge": of.discharge,
                "admitted_on": day,
                "discharged_on": local_day(of.discharge),
                "function": np.array(FUNCTIONS)[of.function].tolist(),
                "is_diagnosed": of.diagnosis >= COVID_FROM,
                "is_primary": of.diagnosis >= PRIMARY_FROM,
                "age_band": self.age_band(feed, of, day),
            }
        ).with_columns(pl.col("discharge", "discharged_on").replace(NEVER, None))

    def _critical_care(self, of: Any) -> dict[str, list[tuple[int, str, int, str]]]:
        """Periods by the spell's number as sent: start, own number, end, kind of bed."""
        kinds = {code: bed_type for bed_type, codes in UNITS.items() for code in codes}
        found: dict[str, list[tuple[int, str, int, str]]] = defaultdict(list)
        for row in range(len(of.id)):
            code = self.providers[of.provider[row]]
            found[f"{code}S{of.spell[row]}"].append(
                (int(of.start[row]), f"{code}C{of.id[row]}", int(of.end[row]), kinds[UNIT_FUNCTIONS[of.unit[row]]])
            )
        return found

    def _stays(self) -> Iterator[Stay]:
        rows = [(place, row) for place, row in enumerate(self.spells.rows(named=True)) if row["patient_class"] == 1]
        rows.sort(
            key=lambda one: (
                one[1]["person"],
                one[1]["admission"],
                or_never(one[1]["discharge"]),
                one[1]["provider"],
                one[1]["number"],
            )
        )
        for person, spells in groupby(rows, key=lambda one: one[1]["person"]):
            stay: Stay | None = None
            last: dict[str, Any] = {}
            for place, spell in spells:
                if stay and person >= 0:
                    overlaps = spell["admission"] < or_never(last["discharge"])
                    moved = last["discharged_on"] == spell["admitted_on"] and (
                        last["destination"] in TRANSFERRED
                        or spell["source"] in TRANSFERRED
                        or spell["method"] in ("2B", "81")
                    )
                    merged = (last["provider"], spell["provider"], spell["admitted_on"]) in self.takes_over and last[
                        "discharged_on"
                    ] in (spell["admitted_on"], spell["admitted_on"] - 1)
                    if overlaps or moved or merged:
                        stay.spells.append(place)
                        if merged and not overlaps:
                            stay.merged.append(place)
                        if or_never(spell["discharge"]) >= or_never(last["discharge"]):
                            last, stay.last = spell, place
                        continue
                if stay:
                    yield stay
                stay, last = Stay([place], [], place), spell
            if stay:
                yield stay


def or_never(value: int | None) -> int:
    """An end, or one that never comes."""
    return 1 << 40 if value is None else value


def _end_of_chain(code: str) -> str:
    after = {one.new for one in SUCCESSIONS if one.old == code}
    return _end_of_chain(*after) if len(after) == 1 else code
