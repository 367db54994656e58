"""The records that exist, by the latest version of each: what marts are made from."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.support.oracle.clock import DAY
from tests.support.oracle.layouts import LAYOUTS
from tests.support.oracle.places import NO_PRACTICE, Organisations, Place
from tests.support.oracle.reading import Accepted, horizon, latest

Record = dict[str, Any]
"""Kept columns, `person` (NHS number, null if none), and `number` (the record's own, as sent)."""


@dataclass(frozen=True)
class Records:
    """The records of every feed, the day D of each, who submitted to it when, and the lists of organisations."""

    by_feed: dict[str, list[Record]]
    days: dict[str, dt.date]
    submissions: dict[str, set[tuple[str, dt.date]]]
    organisations: Organisations
    _expected: dict[tuple[str, dt.date], Counter[Place]] = field(default_factory=dict)

    def of(self, feed: str) -> list[Record]:
        """The records of a feed."""
        return self.by_feed[feed]

    def coverage(self, feed: str, place: Place, day: dt.date, providers: set[str]) -> dict[str, int]:
        """How many providers a figure of a place and day is expected from, and how many have a record in it.

        Expected are those that submitted on the day or in the 27 before it, superseded versions and deletions too.
        Sites and practices stand for themselves.
        """
        if place[0] in ("site", "gp_practice"):
            return {"orgs_expected": 1, "orgs_reported": 1}
        if (feed, day) not in self._expected:
            submitted = {who for who, when in self.submissions[feed] if day - 27 * DAY <= when <= day}
            # One trust counts once at each place, its own too.
            self._expected[feed, day] = Counter(
                one for who in submitted for one in self.organisations.places(who, who, day)
            )
        return {"orgs_expected": self._expected[feed, day][place], "orgs_reported": len(providers)}

    def positives(self) -> dict[str, list[Record]]:
        """The positive specimens of each person in order of date, laboratory and number."""
        found: defaultdict[str, list[Record]] = defaultdict(list)
        for test in self.of("covid_tests"):
            if test["test_result"] == "positive" and test["person"] is not None:
                found[test["person"]].append(test)
        order = ("specimen_date", "reporting_lab_code", "number")
        return {
            person: sorted(tests, key=lambda test: [test[name] for name in order]) for person, tests in found.items()
        }

    def has_positive(self, person: str | None, first: dt.date, last: dt.date) -> bool:
        """Whether a person has a positive specimen from `first` to `last`, both included."""
        return any(
            test["person"] == person and test["test_result"] == "positive" and first <= test["specimen_date"] <= last
            for test in self.of("covid_tests")
            if person is not None
        )

    def practice(self, person: str | None, day: dt.date) -> str:
        """The practice that a person is registered with on a day."""
        held = [
            (one["registration_start_date"], one["gp_practice_code"])
            for one in self.of("gp_registrations")
            if person is not None and one["person"] == person
            if one["registration_start_date"] <= day
            if one["registration_end_date"] is None or day < one["registration_end_date"]
        ]
        return max(held)[1] if held else NO_PRACTICE

    def lives_in_care_home(self, person: str, day: dt.date) -> bool:
        """Whether a person lives in a care home on a day."""
        return any(
            one["person"] == person
            and one["residency_start_date"] <= day
            and (one["residency_end_date"] is None or day < one["residency_end_date"])
            for one in self.of("care_home_residents")
        )

    def critical_care(self, spell: Record) -> list[Record]:
        """The critical care periods of a spell: same provider, same spell number."""
        return [
            one
            for one in self.of("critical_care_periods")
            if one["provider_code"] == spell["provider_code"]
            and one["hospital_provider_spell_number"] == spell["number"]
        ]


def records(accepted: list[Accepted], organisations: Organisations, opt_outs_apply: bool = False) -> Records:
    """The records that exist among accepted rows, those of persons who opted out left out where the rule says so."""
    days: dict[str, dt.date] = {}
    existing: dict[str, dict[tuple[str, ...], Accepted]] = {}
    submissions: dict[str, set[tuple[str, dt.date]]] = {}
    for feed in LAYOUTS:
        rows = [row for row in accepted if row.feed == feed]
        existing[feed] = latest(rows)
        submissions[feed] = {(row.key[0], row.submission_date) for row in rows}
        if (day := horizon(rows)) is not None:
            days[feed] = day
    opted_out = {row.values["nhs_number"] for row in existing["data_opt_outs"].values()} if opt_outs_apply else set()
    by_feed: dict[str, list[Record]] = {}
    for feed, found in existing.items():
        by_feed[feed] = [
            {**row.values, "person": row.values.get("nhs_number"), "number": key[-1]}
            for key, row in sorted(found.items())
            if row.values.get("nhs_number") not in opted_out
        ]
    return Records(by_feed, days, submissions, organisations)
