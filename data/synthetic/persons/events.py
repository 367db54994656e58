"""What happens to people, chunk by chunk: attendances, spells, periods in critical care, tests.

The unit is the contact: somebody comes to an A&E department, or is admitted without one. Contacts are numbered in the
order of their days, each a function of its number, so any run of numbers can be made alone. From a contact follow the
others of its person: a second attendance within the week, an admission, a transfer, a re-admission, a specimen.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from data.synthetic.persons import distributions as of_all
from data.synthetic.persons.chance import Bools, Chance, Ints
from data.synthetic.persons.clock import DAY, NEVER, Year, local_day, midnight, within_day
from data.synthetic.persons.distributions import COVID, DAY_CASE, EMERGENCY, MATERNITY, PLANNED
from data.synthetic.persons.people import People
from data.synthetic.persons.places import ACUTE
from data.synthetic.persons.records import (
    COMMON_FUNCTIONS,
    COVID_FROM,
    DIAGNOSES,
    FUNCTIONS,
    LABS,
    METHODS,
    PRIMARY_FROM,
    SOURCES,
    Attendances,
    CriticalCare,
    Happenings,
    Spells,
    Tests,
    as_left,
    select,
    together,
)


class Spared(Protocol):
    """Places and times that somebody else fills."""

    def spares_attendances(self, of: Attendances) -> Bools:
        """Which attendances are not among them."""
        ...

    def spares_spells(self, of: Spells) -> Bools:
        """Which spells are not."""
        ...


class World:
    """The contacts of so many people between two days."""

    def __init__(self, people: People, first: int, last: int, known_share: float) -> None:
        self.people, self.places, self.first, self.last = people, people.places, first, last
        self.known_share = known_share
        self.year = Year(first, last)
        self.chance = Chance(people.seed, "contacts")
        ae, planned = self.year.ae * of_all.AE_SHARE, self.year.planned * (1 - of_all.AE_SHARE)
        self._ae_share = ae / (ae + planned)
        a_day = people.count * of_all.CONTACTS_A_YEAR / 365.0
        # Number of the first contact of each day, and after the last day the number of all.
        self.begins = np.array([int(a_day * added) for added in _running(ae + planned)], dtype=np.int64)

    @property
    def contacts(self) -> int:
        """How many there are."""
        return int(self.begins[-1])

    def chunks(self, size: int) -> list[tuple[int, int]]:
        """Runs of about `size` contacts, each of whole days."""
        runs: list[tuple[int, int]] = []
        start = 0
        for end in self.begins[1:].tolist():
            if end - start >= size or end == self.contacts:
                runs.append((start, end))
                start = end
        return [run for run in runs if run[1] > run[0]]

    def make(self, start: int, end: int, spared: Spared | None = None) -> Happenings:
        """What followed from the contacts from `start` to before `end`."""
        draw = self.chance
        ids = np.arange(start, end, dtype=np.int64)
        day = self.first + np.searchsorted(self.begins, ids, side="right") - 1
        person = self.people.drawn(draw, ids, self.known_share)
        is_ae = draw.happens("ae", ids, self._ae_share[day - self.first])
        attendances, admitted = self._attendances(ids[is_ae], person[is_ae], day[is_ae])
        spells = self._spells(ids[~is_ae], person[~is_ae], day[~is_ae], admitted)
        if spared:
            attendances = select(attendances, spared.spares_attendances(attendances))
            spells = select(spells, spared.spares_spells(spells))
        critical_care = self._critical_care(spells)
        tests = self._tests(spells)
        # Somebody whom no one discharged on paper.
        forgotten = (
            (spells.patient_class == 1) & (spells.id % 16 == 0) & self.chance.happens("forgotten", spells.id, 0.0006)
        )
        forgotten &= spells.admission > (self.first + 40) * DAY
        spells.discharge = np.where(forgotten, NEVER, spells.discharge)
        return Happenings(attendances, spells, critical_care, tests)

    def _attendances(self, ids: Ints, person: Ints, day: Ints) -> tuple[Attendances, Spells]:
        draw, places = self.chance, self.places
        # Older people come more often: of two drawn the older in every second case.
        other = self.people.drawn(Chance(self.people.seed, "older"), ids, self.known_share)
        swap = draw.happens("older", ids, 0.5) & (self.people.birth_day(other) < self.people.birth_day(person))
        swap &= self.people.has_number(other) == self.people.has_number(person)
        person = np.where(swap, other, person)
        site = draw.choose("site", ids, places.for_ae, self.people.area(person))
        again = draw.happens("again", ids, 0.085)
        ids, person, site, first_day, follows = _doubled(again, ids, person, site, day)
        ids = ids * 4 + follows
        later = draw.below("days", ids, 8) * follows
        day = first_day + later
        is_acute = places.kind[site] == ACUTE
        department = np.where(
            is_acute, draw.choose("department", ids, of_all.HOSPITAL_DEPARTMENT), 2 + draw.below("walk-in", ids, 2)
        )
        category = np.where(
            follows == 1,
            draw.choose("follow-up", ids, of_all.NEXT_CATEGORY),
            draw.choose("first", ids, of_all.FIRST_CATEGORY),
        )
        arrival = within_day(day, draw.spread("arrival", ids, of_all.ARRIVALS))
        # One in 200 is written down as midnight.
        arrival = np.where(draw.happens("midnight", ids, 0.005), midnight(day), arrival)
        age = self.people.age(person, day)
        likely = np.where(age >= 75, 0.52, np.where(age >= 45, 0.30, np.where(age < 18, 0.14, 0.19)))
        is_main = department == 0
        admitted = is_main & draw.happens("admitted", ids, likely)
        winter = draw.happens("slow", ids, np.clip((self.year.at(self.year.winter, day) - 0.9) * 2, 0.0, 0.95))
        row = np.where(is_main, 2 * admitted + winter, of_all.MINOR)
        minutes = draw.spread("stay", ids, of_all.WAITS, row)
        departure = arrival + minutes
        assessment = arrival + np.minimum(draw.spread("assessment", ids, of_all.ASSESSMENT), minutes)
        treatment = np.maximum(
            assessment, arrival + np.minimum(draw.spread("treatment", ids, of_all.TREATMENT), minutes)
        )
        wait = departure - treatment
        decision = np.where(admitted, treatment + ((wait * draw.below("decision", ids, 700)) // 1000), NEVER)
        assessment[draw.happens("no assessment", ids, 0.04)] = NEVER
        treatment[draw.happens("no treatment", ids, 0.05)] = NEVER
        # Times that no mart may use: before arrival, after departure, more than a day on.
        decision = np.where(admitted & draw.happens("late decision", ids, 0.002), departure + 9, decision)
        decision = np.where(admitted & draw.happens("early decision", ids, 0.002), arrival - 3, decision)
        early = draw.happens("early assessment", ids, 0.001)
        assessment = np.where(early, arrival - 4, assessment)
        found = Attendances(
            ids, person, site, places.provider(site, local_day(arrival)), department, category, arrival, assessment,
            treatment, decision, departure,
        )  # fmt: skip
        into = select(found, admitted)
        count = len(into.id)
        covid = draw.happens(
            "covid", into.id, self._covid_share(local_day(into.departure)) * (0.3 + 0.7 * (age[admitted] >= 45))
        )
        spells = Spells(
            into.id // 4 * 16 + into.id % 4,
            into.person,
            into.site,
            into.provider,
            np.ones(count, dtype=np.int64),
            np.full(count, METHODS.index("21")),
            np.zeros(count, dtype=np.int64),
            into.departure,
            draw.spread("length", into.id, of_all.LENGTHS, np.where(covid, COVID, EMERGENCY)),
            np.where(covid, COVID, EMERGENCY),
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.int64),
        )
        found.departure[draw.happens("no departure", ids, 0.006)] = NEVER
        return found, spells

    def _covid_share(self, day: Ints) -> np.ndarray:
        return np.minimum(0.55, 0.42 * self.year.at(self.year.covid, day))

    def _spells(self, ids: Ints, person: Ints, day: Ints, admitted: Spells) -> Spells:
        """Spells without A&E and those with; `discharge` of `admitted` is a length, `destination` the kind of stay."""
        draw, people, places = self.chance, self.people, self.places
        age = people.age(person, day)
        route = draw.choose("route", ids, of_all.ROUTES)
        fertile = (age >= 17) & (age <= 44)
        route = np.where(
            (route == of_all.BY_MATERNITY) & ~fertile,
            of_all.BY_DAY_CASE,
            np.where((route == of_all.BY_DELIVERY) & ~fertile, of_all.BY_REGULAR, route),
        )
        covid = (route == of_all.BY_DIRECT) & draw.happens("covid direct", ids, self._covid_share(day))
        kind = np.select(
            [
                covid,
                route == of_all.BY_DIRECT,
                route == of_all.BY_LIST,
                (route == of_all.BY_MATERNITY) | (route == of_all.BY_DELIVERY),
            ],
            [COVID, EMERGENCY, PLANNED, MATERNITY],
            DAY_CASE,
        )
        minute = np.where(
            (kind == EMERGENCY) | (kind == COVID) | (kind == MATERNITY),
            draw.spread("any time", ids, of_all.ANY_TIME),
            draw.spread("working", ids, of_all.WORKING),
        )
        method = np.select(
            [
                route == of_all.BY_DIRECT,
                route == of_all.BY_LIST,
                route == of_all.BY_MATERNITY,
                route == of_all.BY_DELIVERY,
            ],
            [
                METHODS.index("22") + draw.choose("direct", ids, of_all.DIRECT_METHOD),
                draw.choose("list", ids, of_all.LIST_METHOD),
                METHODS.index("31") + draw.choose("birth", ids, of_all.MATERNITY_METHOD),
                METHODS.index("31"),
            ],
            draw.choose("list", ids, of_all.DAY_METHOD),
        )
        other = draw.happens("other method", ids, 0.004)
        method = np.where(other, METHODS.index("82") + draw.below("other", ids, 3), method)
        site = draw.choose("site", ids, places.for_beds, people.area(person))
        admission = within_day(day, minute)
        planned = Spells(
            ids * 16,
            person,
            site,
            places.provider(site, local_day(admission)),
            np.select(
                [route == of_all.BY_DAY_CASE, route == of_all.BY_REGULAR, route == of_all.BY_DELIVERY],
                [2, 3 + (ids % 9 == 0), 5],
                1,
            ),
            method,
            np.zeros(len(ids), dtype=np.int64),
            admission,
            draw.spread("length", ids * 4 + 3, of_all.LENGTHS, kind),
            kind,
            np.zeros(len(ids), dtype=np.int64),
            np.zeros(len(ids), dtype=np.int64),
        )
        spells = together([planned, admitted])
        ids, kind = spells.id, spells.destination
        spells.discharge = spells.admission + spells.discharge
        spells.diagnosis = np.where(
            kind == COVID,
            PRIMARY_FROM + draw.below("covid code", ids, len(DIAGNOSES) - PRIMARY_FROM),
            draw.below("code", ids, COVID_FROM),
        )
        # Somebody who has it besides, and somebody whose code is missing.
        share = np.where(
            (kind == EMERGENCY) | (kind == PLANNED),
            0.05 * self.year.at(self.year.covid, local_day(spells.admission)),
            0.0,
        )
        besides = draw.happens("covid besides", ids, share)
        spells.diagnosis = np.where(
            besides, COVID_FROM + draw.below("besides", ids, PRIMARY_FROM - COVID_FROM), spells.diagnosis
        )
        uncoded = (kind == COVID) & draw.happens("uncoded", ids, 0.06)
        spells.diagnosis = np.where(uncoded, draw.below("code", ids, COVID_FROM), spells.diagnosis)
        spells.function = draw.below("function", ids, COMMON_FUNCTIONS)
        spells.function = np.where(kind == MATERNITY, FUNCTIONS.index("501") + ids % 2, spells.function)
        spells.function = np.where(draw.happens("mental", ids, 0.004), FUNCTIONS.index("713"), spells.function)
        spells.function = np.where(people.age(spells.person, self.first) < 1, FUNCTIONS.index("424"), spells.function)
        spells.source = draw.choose("source", ids, of_all.SOURCE)
        spells.destination = draw.choose("destination", ids, of_all.DESTINATION)
        parts = [spells]
        overnight = (spells.patient_class == 1) & (kind != MATERNITY)
        length = spells.discharge - spells.admission
        parts.append(self._transfers(spells, overnight & (length > 720) & draw.happens("transfer", ids, 0.05)))
        parts.append(self._readmissions(spells, overnight & draw.happens("back", ids, 0.09)))
        parts.append(self._overlapping(spells, overnight & (length > 600) & draw.happens("overlap", ids, 0.002)))
        return self._merged(together(parts))

    def _transfers(self, spells: Spells, moved: Bools) -> Spells:
        """Part of the stay at another site; the first part is shortened in place."""
        draw = self.chance
        there = as_left(select(spells, moved))
        half = there.admission + (there.discharge - there.admission) * (1 + draw.below("part", there.id, 7)) // 9
        spells.discharge[moved] = half
        spells.destination[moved] = np.where(
            draw.happens("told", there.id, 0.9), SOURCES.index("51"), SOURCES.index("19")
        )
        there.id = there.id + 2
        there.site = draw.choose("site", there.id, self.places.for_beds, self.people.area(there.person))
        there.admission = half + draw.below("journey", there.id, 150) * draw.happens("journeys", there.id, 0.8)
        there.discharge = np.maximum(there.discharge, there.admission + 30)
        there.provider = self.places.provider(there.site, local_day(there.admission))
        there.method = np.where(draw.happens("emergency", there.id, 0.5), METHODS.index("2B"), METHODS.index("81"))
        there.source = np.full(len(there.id), SOURCES.index("51"))
        return there

    def _readmissions(self, spells: Spells, back: Bools) -> Spells:
        draw = self.chance
        there = as_left(select(spells, back))
        there.id = there.id + 4
        there.admission = there.discharge + 20 + draw.spread("gap", there.id, of_all.BACK_AFTER)
        there.discharge = there.admission + draw.spread(
            "length", there.id, of_all.LENGTHS, np.full(len(there.id), EMERGENCY)
        )
        there.provider = self.places.provider(there.site, local_day(there.admission))
        there.method = np.full(len(there.id), METHODS.index("21"))
        there.source = np.zeros(len(there.id), dtype=np.int64)
        return there

    def _overlapping(self, spells: Spells, planted: Bools) -> Spells:
        """A second spell of the same person at another provider that begins while the first lasts."""
        draw = self.chance
        there = as_left(select(spells, planted))
        there.id = there.id + 6
        length = there.discharge - there.admission
        there.admission = there.admission + length // 2
        there.discharge = there.admission + length
        there.site = draw.choose("site", there.id, self.places.for_beds, self.people.area(there.person))
        there.provider = self.places.provider(there.site, local_day(there.admission))
        return there

    def _merged(self, spells: Spells) -> Spells:
        """Spells that a change of owner cuts in two: out under the old code at midnight or the minute before."""
        places, draw = self.places, self.chance
        change = midnight(places.changes_on[spells.site])
        cut = (
            (spells.admission < change)
            & (spells.discharge > change)
            & (places.owner[spells.site] != places.next_owner[spells.site])
        )
        if not cut.any():
            return spells
        after = as_left(select(spells, cut))
        change = change[cut]
        after.id = after.id + 8
        spells.discharge[cut] = change - draw.below("minute before", after.id, 2)
        spells.destination[cut] = SOURCES.index("19")
        after.admission = change
        after.provider = places.next_owner[after.site]
        after.method = np.full(len(after.id), METHODS.index("81"))
        after.source = np.zeros(len(after.id), dtype=np.int64)
        return together([spells, after])

    def _critical_care(self, spells: Spells) -> CriticalCare:
        draw, people = self.chance, self.people
        covid = spells.diagnosis >= PRIMARY_FROM
        length = spells.discharge - spells.admission
        used = (spells.patient_class == 1) & (length > 600)
        used &= draw.happens("critical", spells.id, np.where(covid, 0.16, 0.035))
        of = select(spells, used)
        length = length[used]
        age = people.age(of.person, local_day(of.admission))
        units = np.select(
            [age < 1, age < 16],
            [draw.choose("unit", of.id, of_all.BABY_UNIT), draw.choose("unit", of.id, of_all.CHILD_UNIT)],
            draw.choose("unit", of.id, of_all.ADULT_UNIT),
        )
        start = of.admission + length * draw.below("into", of.id, 5) // 20
        end = np.minimum(of.discharge, start + 300 + length * (1 + draw.below("out", of.id, 6)) // 9)
        first = CriticalCare(of.id * 2, of.person, of.provider, of.id, units, start, end)
        # A second unit, which begins before the first is left or at once after.
        second = select(first, draw.happens("second unit", of.id, 0.12) & (of.discharge > end + 60))
        second = as_left(second)
        stays_until = of.discharge[np.searchsorted(of.id, second.spell)]
        second.id = second.id + 1
        second.start = second.end - 45 * (second.id % 4 < 2)
        second.end = np.minimum(stays_until, second.end + 700)
        second.unit = draw.choose("unit", second.id, of_all.ADULT_UNIT)
        lost = draw.happens("no spell", second.id, 0.03)
        second.spell = np.where(lost, second.spell + 9, second.spell)
        return together([first, second])

    def _tests(self, spells: Spells) -> Tests:
        """Specimens of those in hospital: with COVID-19, caught there, and found without it."""
        draw = self.chance
        day = local_day(spells.admission)
        covid = self.year.at(self.year.covid, day)
        ill = spells.diagnosis >= PRIMARY_FROM
        left = local_day(spells.discharge)
        nights = left - day
        parts = []
        known = (spells.person >= 0) & (covid > 0)
        swab = known & ill & draw.happens("swab", spells.id, 0.93)
        of = select(spells, swab)
        when = day[swab] + draw.choose("swab day", of.id, of_all.SWAB) - 4
        parts.append(self._specimens(of.id * 4, of.person, when, np.zeros(len(of.id), dtype=np.int64)))
        caught = (
            known & ~ill & (spells.patient_class == 1) & (nights >= 2) & draw.happens("caught", spells.id, 0.05 * covid)
        )
        of = select(spells, caught)
        when = day[caught] + 1 + draw.below("caught day", of.id, nights[caught])
        parts.append(self._specimens(of.id * 4 + 1, of.person, when, np.zeros(len(of.id), dtype=np.int64)))
        clear = known & ~ill & (spells.patient_class == 1) & draw.happens("clear", spells.id, 0.35)
        of = select(spells, clear)
        result = np.where(draw.happens("unclear", of.id, 0.02), 2, 1)
        parts.append(self._specimens(of.id * 4 + 2, of.person, day[clear], result))
        return together(parts)

    def _specimens(self, ids: Ints, person: Ints, day: Ints, result: Ints) -> Tests:
        draw = self.chance
        return Tests(
            ids,
            person,
            draw.below("lab", ids, len(LABS)),
            day,
            day + draw.choose("report", ids, of_all.REPORT),
            result,
        )

    def community_tests(self, start: int, end: int) -> Tests:
        """Specimens of people who were not in hospital; their numbers are below zero."""
        draw = Chance(self.people.seed, "community")
        ids = np.arange(start, end, dtype=np.int64)
        day = self.first + np.searchsorted(self.tests_begin, ids, side="right") - 1
        person = self.people.drawn(draw, ids, self.known_share)
        result = np.where(draw.happens("positive", ids, 0.09), 0, np.where(draw.happens("unclear", ids, 0.01), 2, 1))
        return self._specimens(ids * 4 + 3 + (1 << 40), person, day, result)

    @property
    def tests_begin(self) -> Ints:
        """Number of the first community test of each day."""
        a_day = self.people.count * 0.2 / 365.0
        return np.array(
            [int(a_day * added) for added in _running(np.minimum(1.0, self.year.covid * 2.0))], dtype=np.int64
        )


def _running(values: np.ndarray) -> list[float]:
    """Zero, then the sums so far, added in order."""
    sums, added = [0.0], 0.0
    for value in values.tolist():
        added += value
        sums.append(added)
    return sums


def _doubled(again: Bools, ids: Ints, person: Ints, site: Ints, day: Ints) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Each record, and after those of `again` the same once more; last, 0 for the first and 1 for the second."""
    order = np.sort(np.concatenate([np.arange(len(ids)), np.flatnonzero(again)]), kind="stable")
    second = np.zeros(len(order), dtype=np.int64)
    second[1:] = order[1:] == order[:-1]
    return ids[order], person[order], site[order], day[order], second
