"""What happens to a person, as rows of feeds: every boundary of the contract is aimed at, none is left to luck."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from random import Random

from tests.support.oracle.clock import DAY, MINUTE, end_of, instants, local_date, shows
from tests.support.oracle.layouts import LAYOUTS
from tests.support.oracle.reading import check_digit
from tests.support.person_faults import HISTORIES, Cells
from tests.support.person_window import FAMILIES, HOMES, LABS, PRACTICES, PROVIDERS, Window

WAITS = (0, 1, 60, 239, 240, 241, 600, 719, 720, 721, 1439, 1440, 1441, 10_079, 10_080, 10_081)
EVENTS = (-1, 0, 1, 30, 240, 241, 1440, 1441)
RETURNS = (0, 0, 1, 1440, 10_079, 10_080, 10_080, 10_081)
STAYS = (0, 1, 59, 60, 61, 720, 1440, 3 * 1440, 8 * 1440, 15 * 1440, 22 * 1440)
GAPS = (-1440, -60, -1, 0, 0, 0, 1, 60, 300, 1440, 2880)
SPECIMENS = (-15, -14, -13, -1, 0, 1, 2, 3, 7, 8, 14, 15)
AGES = (0, 5, 6, 17, 18, 64, 65, 84, 85, 120)
DESTINATIONS = ("", "19", "29", "49", "51", "84", "87", "79")
SOURCES = ("", "19", "19", "49", "53", "87", "54")
METHODS = ("21", "21", "2A", "2D", "11", "13", "31", "32", "2B", "81", "82", "98")
FUNCTIONS = ("300", "300", "100", "424", "501", "560", "699", "700", "727", "728")
UNITS = ("01", "90", "04", "92", "13", "91")
DIAGNOSES = ("", "U07.1", "u072", "J18.9|U07.12", "|U071|J18", "J18.9", "U07.3", "B34.2|u07.2X")


def nhs_number(number: int) -> str:
    """The test number that a person of a store has: in the 999 range, with its check digit."""
    nine = 999_000_000 + number * 11
    while check_digit(str(nine)) == 10:
        nine += 1
    return f"{nine}{check_digit(str(nine))}"


class Episode:
    """What happens to a person, as rows of feeds: a visit or two, a chain of spells, a test, a registration ..."""

    def __init__(self, window: Window, person: int, name: str, chance: Random) -> None:
        """Write the rows of an episode; the same arguments give the same rows."""
        self.window, self.name, self.chance = window, name, chance
        self.nhs_number = nhs_number(person)
        self.rows: list[tuple[str, Cells | None]] = []
        self.count = 0
        kinds: tuple[Callable[[], None], ...] = (
            self.visits,
            self.visits,
            self.visits,
            self.chain,
            self.chain,
            self.handed_over,
            self.still_in,
            self.infection,
            self.infection,
            self.registrations,
            self.registrations,
            self.residency,
            self.opt_out,
        )
        self.pick(kinds)()

    def pick(self, choices: tuple) -> object:  # type: ignore[type-arg]
        """One of these."""
        return self.chance.choice(choices)

    def may(self, share: float) -> bool:
        """True in this share of cases."""
        return self.chance.random() < share

    # What happens

    def visits(self) -> None:
        """Attendances of one person, further ones at exactly the boundary of coming back."""
        arrival = self.moment()
        provider = self.pick(PROVIDERS)
        for _ in range(self.pick((1, 1, 2, 3))):
            self.visit(arrival, provider)
            arrival += self.pick(RETURNS) * MINUTE
            provider = self.near(provider)

    def visit(self, arrival: dt.datetime, provider: str) -> None:
        """One attendance."""
        wait = None if self.may(0.15) else self.pick(WAITS)
        times = {
            "arrival": arrival,
            "ec_initial_assessment": arrival + self.pick(EVENTS) * MINUTE if self.may(0.6) else None,
            "ec_seen_for_treatment": arrival + self.pick(EVENTS) * MINUTE if self.may(0.6) else None,
            "ec_decision_to_admit": None,
            "ec_departure": None if wait is None else arrival + wait * MINUTE,
        }
        if self.may(0.5):
            before = (0, 1, 720, 721, -1) if wait is not None else (0,)
            since = (wait or 0) - self.pick(before) if self.may(0.8) else self.pick((-1, 0, 1439, 1440))
            times["ec_decision_to_admit"] = arrival + since * MINUTE
        self.send(
            "ecds_attendances",
            {
                "provider_code": provider,
                "site_code": self.site(provider),
                "emergency_care_attendance_identifier": self.number(),
                "ec_department_type": self.pick(("01", "01", "01", "02", "03", "04", "05")),
                "ec_attendance_category": self.pick(("1", "1", "1", "2", "3", "4")),
                "ec_chief_complaint_snomed_ct": self.pick(("", "29857009")),
            },
            times,
        )

    def chain(self) -> None:
        """Spells that follow each other, some overlapping, some handed over on the day of a merger."""
        provider = self.pick(PROVIDERS)
        admitted = self.moment()
        for _ in range(self.pick((1, 2, 2, 3, 4))):
            discharged = None if self.may(0.1) else admitted + self.pick(STAYS) * MINUTE
            self.spell(provider, admitted, discharged, "1" if self.may(0.7) else "")
            admitted = (discharged or admitted) + self.pick(GAPS) * MINUTE
            provider = self.near(provider)

    def handed_over(self) -> None:
        """A spell closed around the day on which another provider takes over, and opened again by that one."""
        succession = self.pick(self.window.organisations.successions)
        midnight = instants(dt.datetime.combine(succession.effective_date, dt.time()))[0]
        closed = midnight + self.pick((-1441, -1440, -60, -1, 0, 0, 60)) * MINUTE
        opened = midnight + self.pick((-1, 0, 0, 0, 1, 60, 1439, 1440)) * MINUTE
        self.spell(succession.org_code, closed - self.pick(STAYS[4:]) * MINUTE, closed, "1")
        ended = None if self.may(0.3) else opened + self.pick(STAYS) * MINUTE
        self.spell(succession.successor_code, opened, ended, self.pick(("1", "1", "1", "2")))

    def still_in(self) -> None:
        """A spell without a discharge, so many days before the last one."""
        day = self.window.last - self.pick((6, 7, 8, 14, 15, 21, 22)) * DAY
        self.spell(self.pick(PROVIDERS), instants(dt.datetime.combine(day, dt.time(12)))[0], None, "1")

    def spell(
        self, provider: str, admitted: dt.datetime, discharged: dt.datetime | None, classification: str = ""
    ) -> None:
        """One spell with its critical care and its tests."""
        number = self.number()
        # As often as not nothing says that the spell goes on elsewhere.
        is_plain = self.may(0.5)
        self.send(
            "apc_spells",
            {
                "provider_code": provider,
                "site_code": self.site(provider),
                "hospital_provider_spell_number": number,
                "patient_classification": classification
                or self.pick(("1", "1", "1", "1", "1", "1", "2", "3", "4", "5")),
                "admission_method": "21" if is_plain else self.pick(METHODS),
                "source_of_admission": "19" if is_plain else self.pick(SOURCES),
                "discharge_method": self.pick(("", "1", "4")),
                "discharge_destination": "19" if is_plain else self.pick(DESTINATIONS),
                "treatment_function_code": self.pick(FUNCTIONS),
                "der_diagnosis_all": self.pick(DIAGNOSES),
            },
            {"admission": admitted, "discharge": discharged},
        )
        started = admitted + self.pick((0, 0, 30, 60, 1440)) * MINUTE
        for _ in range(self.pick((0, 0, 1, 2, 3))):
            ended = self.pick((None, started, started + 60 * MINUTE, started + 1440 * MINUTE, discharged))
            if ended is not None and ended < started:
                ended = None
            self.send(
                "critical_care_periods",
                {
                    "provider_code": provider,
                    "critical_care_local_identifier": self.number(),
                    "hospital_provider_spell_number": number if self.may(0.9) else f"{number}X",
                    "critical_care_unit_function": self.pick(UNITS),
                },
                {"critical_care_start": started, "critical_care_discharge": ended},
            )
            started += self.pick((0, 0, 30, 60, 120)) * MINUTE
        for _ in range(self.pick((0, 0, 1, 2))):
            base = admitted if discharged is None or self.may(0.7) else discharged
            self.test(local_date(base) + self.pick((*SPECIMENS, 0, 1)) * DAY)

    def infection(self) -> None:
        """A specimen, and an admission at a boundary after or before it."""
        admitted = self.moment()
        self.test(local_date(admitted) + self.pick(SPECIMENS) * DAY)
        discharged = None if self.may(0.2) else admitted + self.pick(STAYS) * MINUTE
        self.spell(self.pick(PROVIDERS), admitted, discharged)

    def test(self, day: dt.date) -> None:
        """A specimen of a day."""
        cells = {
            "reporting_lab_code": self.pick(LABS),
            "specimen_number": self.number(),
            "specimen_date": day.isoformat(),
            "lab_report_date": "",
            "test_result": self.pick(("positive", "positive", "positive", "negative", "indeterminate")),
            "pillar": self.pick(("", "1", "2")),
        }
        self.send("covid_tests", cells, {}, day)

    def registrations(self) -> None:
        """Registrations that follow or overlap each other, some beginning on one day; and a visit at an edge of one."""
        start = self.day()
        for _ in range(self.pick((1, 2, 3))):
            length = self.pick((None, 0, 1, 1, 10, 10, 400))
            cells = {
                "gp_practice_code": self.pick(PRACTICES),
                "registration_identifier": self.number(),
                "registration_start_date": start.isoformat(),
                "registration_end_date": "" if length is None else (start + length * DAY).isoformat(),
            }
            self.send("gp_registrations", cells, {}, start)
            edge = start + self.pick((-1, 0, (length or 0) - 1, length or 0, length or 0)) * DAY
            self.visit(instants(dt.datetime.combine(edge, dt.time(12)))[0], self.pick(PROVIDERS))
            start += self.pick((0, 0, 1, 5)) * DAY

    def residency(self) -> None:
        """A stay in a care home, and a spell at its edge."""
        start = self.day()
        length = self.pick((None, 0, 1, 7))
        cells = {
            "care_home_location_code": self.pick(HOMES),
            "resident_identifier": self.number(),
            "residency_start_date": start.isoformat(),
            "residency_end_date": "" if length is None else (start + length * DAY).isoformat(),
        }
        self.send("care_home_residents", cells, {}, start)
        edge = start + self.pick((-1, 0, (length or 0) - 1, length or 0)) * DAY
        self.test(edge - self.pick((0, 1, 14)) * DAY)
        admitted = instants(dt.datetime.combine(edge, dt.time(12)))[0]
        self.spell(self.pick(PROVIDERS), admitted, admitted + 60 * MINUTE)

    def opt_out(self) -> None:
        """A person who opts out."""
        if self.may(0.5):
            day = self.day()
            self.send("data_opt_outs", {"opt_out_date": day.isoformat()}, {}, day)
        else:
            self.visits()

    # Where and when

    def day(self) -> dt.date:
        """A day of the window, often one on which something changes."""
        span = (self.window.last - self.window.first).days
        special = (self.window.change, self.window.change - DAY, *self.window.nights, self.window.last)
        return self.pick(special) if self.may(0.3) else self.window.first + self.chance.randint(0, span) * DAY

    def moment(self) -> dt.datetime:
        """A UTC instant of the window, often at the edge of an hour, a day or a change of the clocks."""
        day = self.day()
        if self.window.nights and self.may(0.25):
            day = self.pick(self.window.nights)
            around = dt.datetime.combine(day, self.pick((dt.time(0, 0), dt.time(0, 30), dt.time(1, 0))))
            return around + self.pick((-60, -30, 0, 30, 60, 90)) * MINUTE
        edges = (dt.time(0, 0), dt.time(0, 1), dt.time(8, 0), dt.time(7, 59), dt.time(23, 59), dt.time(12, 0))
        time = self.pick(edges) if self.may(0.4) else dt.time(self.chance.randint(3, 23), self.chance.randint(0, 59))
        return instants(dt.datetime.combine(day, time))[0]

    def near(self, provider: str) -> str:
        """The same provider again, one of its family, or any."""
        family = next((one for one in FAMILIES if provider in one), (provider,))
        return self.pick((provider, provider, self.pick(family), self.pick(PROVIDERS)))

    def site(self, provider: str) -> str:
        """A site of a provider; the long one's own code is its site's."""
        return provider if len(provider) == 5 else f"{provider}{self.pick(('01', '01', '02'))}"

    def number(self) -> str:
        """The number of a record, unlike every other of the store; their order as text is no order of time."""
        self.count += 1
        return f"{self.pick(('9', '10', 'B', 'b', '-'))}{self.name}{self.count}"

    # What is sent

    def send(self, feed: str, cells: Cells, times: dict[str, dt.datetime | None], day: dt.date | None = None) -> None:
        """A record as its versions are sent: once, or again, deleted, revived, contradicted, or wrong."""
        end = end_of(self.window.last)
        times = {name: time if time is None or time < end else None for name, time in times.items()}
        start = next(iter(times.values()), None)
        if (times and start is None) or (day is not None and day > self.window.last):
            return
        started = day or local_date(start or end)
        happened = max([started, *(local_date(time) for time in times.values() if time is not None)])
        submitted = min(happened + self.pick((0, 0, 1, 5)) * DAY, self.window.last)
        whole = dict.fromkeys((column.name for column in LAYOUTS[feed].columns), "")
        whole |= {**self.identity(feed, started), **cells, **self.times(times)}
        whole |= {"record_version": "1", "update_type": "9", "submission_date": submitted.isoformat()}
        versions = [whole]
        if self.may(0.4):
            versions = self.pick(HISTORIES)(self, feed, whole)
        self.rows += [(feed, one) for one in versions]
        if self.may(0.01):
            self.rows.append((feed, None))

    def identity(self, feed: str, started: dt.date) -> Cells:
        """The columns of identity that a feed has."""
        number = self.nhs_number
        if self.may(0.3):
            number = f"{number[:3]} {number[3:6]} {number[6:]}"
        if feed not in ("gp_registrations", "care_home_residents", "data_opt_outs") and self.may(0.06):
            number = ""
        columns = {column.name for column in LAYOUTS[feed].columns}
        cells = {
            "nhs_number": number,
            "local_patient_identifier": self.pick(("", f"H{self.name}")),
            "person_given_name": "Ann",
            "person_family_name": self.pick(("Other", "O'Other, the first")),
            "person_birth_date": self.birth_date(started),
            "postcode_of_usual_address": self.pick(("ZZ99 3WZ", "ZZ993VZ", "ZZ9 9AA", "")),
        }
        return {name: cell for name, cell in cells.items() if name in columns}

    def birth_date(self, started: dt.date) -> str:
        """A date of birth: on the day of a birthday that changes the band, a day after, on a 29 February ..."""
        if self.may(0.1):
            return self.pick(("", "1900-01-01", "1800-12-31"))
        if self.may(0.1):
            return self.pick(("2004-02-29", "1936-02-29", "2020-02-29" if started >= dt.date(2020, 2, 29) else ""))
        years = self.pick(AGES)
        day = min(started.day, 28) if started.month == 2 else started.day
        birthday = dt.date(started.year - years, started.month, day)
        return (birthday + self.pick((0, 0, 1) if years else (0,)) * DAY).isoformat()

    def times(self, times: dict[str, dt.datetime | None]) -> Cells:
        """Instants as London's clocks show them; where that is not enough, mostly with the offset."""
        cells = {}
        for name, time in times.items():
            if time is None:
                continue
            wall = shows(time)
            is_double = len(instants(wall)) > 1
            offset = f"+0{(wall - time) // dt.timedelta(hours=1)}:00" if self.may(0.6 if is_double else 0.1) else ""
            seconds = self.pick(("", "", ":00", ":59"))
            cells |= {f"{name}_date": wall.date().isoformat(), f"{name}_time": f"{wall:%H:%M}{seconds}{offset}"}
        return cells

    def later(self, cells: Cells, days: int) -> str:
        """A day of submission after that of a row, within the window."""
        return min(dt.date.fromisoformat(cells["submission_date"]) + days * DAY, self.window.last).isoformat()

    def changed(self, feed: str, cells: Cells) -> Cells:
        """The same record with something else in it that is kept."""
        other = dict(cells)
        if feed == "ecds_attendances":
            change = self.pick(("department", "departure", "person", "site"))
            other |= {
                "department": {"ec_department_type": "02" if cells["ec_department_type"] != "02" else "03"},
                "departure": {"ec_departure_date": "", "ec_departure_time": ""},
                "person": {"nhs_number": nhs_number(77)},
                "site": {"site_code": f"{cells['provider_code'][:3]}09"},
            }[change]
        elif feed == "apc_spells":
            change = self.pick(("method", "discharge", "person", "diagnosis"))
            other |= {
                "method": {"admission_method": "11" if cells["admission_method"] != "11" else "21"},
                "discharge": {"discharge_date": "", "discharge_time": ""},
                "person": {"nhs_number": ""},
                "diagnosis": {"der_diagnosis_all": "" if "7" in cells["der_diagnosis_all"] else "U07.1"},
            }[change]
        elif feed == "covid_tests":
            other["test_result"] = "negative" if cells["test_result"] == "positive" else "positive"
        elif feed == "critical_care_periods":
            other["critical_care_unit_function"] = "16" if cells["critical_care_unit_function"] != "16" else "02"
        elif feed == "gp_registrations":
            other["registration_end_date"] = "" if cells["registration_end_date"] else "2021-01-01"
        elif feed == "care_home_residents":
            other["residency_end_date"] = "" if cells["residency_end_date"] else "2021-01-01"
        else:
            other["opt_out_date"] = (dt.date.fromisoformat(cells["opt_out_date"]) - DAY).isoformat()
        return other

    def deletion(self, feed: str, cells: Cells) -> Cells:
        """The deletion of a record: its key and version, and sometimes what else was known."""
        keys = {column.name for column in LAYOUTS[feed].columns if column.key}
        kept = keys | {"submission_date", "record_version"}
        full = self.may(0.2)
        other = {name: cell if full or name in kept else "" for name, cell in cells.items()}
        if full and "person_birth_date" in other:
            other["person_birth_date"] = "of old"
        return other | {"update_type": "1"}
