"""What a datastore should know after reading every file of the people: from what happened, not from the files.

The versions that count, what was refused and why are the generator's own knowledge. What the marts make of it is worked
out here once more, as the contract of the person-level feeds says it, and shares nothing with the project's SQL.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from data.synthetic.england import England
from data.synthetic.geography import NATION_CODE
from data.synthetic.persons import mirror
from data.synthetic.persons.chance import Ints
from data.synthetic.persons.clock import DAY, HOUR, NEVER, date_of, day_number, local_day, midnight
from data.synthetic.persons.fates import Fate
from data.synthetic.persons.feeds import Stream
from data.synthetic.persons.known import Known, Stay, or_never
from data.synthetic.persons.layout import Layout
from data.synthetic.persons.records import (
    Attendances,
    CriticalCare,
    Spells,
    Tests,
    nothing,
    together,
)
from data.synthetic.persons.registers import Periods

NOT_ACUTE = {"424", "501", "560", *(str(code) for code in range(700, 728))}
BY_METHOD = {
    "emergency_admissions": ("21", "22", "23", "24", "25", "28", "2A", "2B", "2C", "2D"),
    "elective_admissions": ("11", "12", "13"),
    "maternity_admissions": ("31", "32"),
    "other_admissions": ("81", "82", "83", "98", "99"),
}
NONE: dict[str, Callable[[], Any]] = {
    "ecds_attendances": lambda: nothing(Attendances),
    "apc_spells": lambda: nothing(Spells),
    "critical_care_periods": lambda: nothing(CriticalCare),
    "covid_tests": lambda: nothing(Tests),
    "gp_registrations": lambda: nothing(Periods),
    "care_home_residents": lambda: nothing(Periods),
}
HCAI = ("hcai_community_onset", "hcai_indeterminate", "hcai_probable", "hcai_definite")
WEEK = 10_080
# Days of which every hour is told: an ordinary one, a change of owners, both changes of the clock.
HOURLY = tuple(
    dt.date.fromisoformat(day)
    for day in ("2019-12-10", "2020-03-29", "2020-04-01", "2020-10-25", "2020-12-01", "2021-01-12")
)


@dataclass
class Truth:
    """Takes in what is known of each stream; `tables` at the end."""

    england: England
    layout: Layout
    last: int
    _known: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    _no_age: dict[str, list[Ints]] = field(default_factory=lambda: defaultdict(list))

    def add(self, stream: Stream) -> None:
        """The accepted version of every record of the stream."""
        records, sent = stream.known(self.last)
        if len(records.id):
            self._known[stream.form.feed].append(records)
            self._no_age[stream.form.feed].append(records.id[sent.fate == Fate.BIRTH_SENTINEL])

    def tables(self, horizons: Mapping[str, int]) -> dict[str, pl.DataFrame]:
        """Every mart, and what is planted."""
        whole = {feed: together(self._known[feed]) if self._known[feed] else none() for feed, none in NONE.items()}
        no_age = {feed: np.concatenate([*self._no_age[feed], np.zeros(0, dtype=np.int64)]) for feed in NONE}
        return _Marts(self.england, self.layout, whole, no_age, dict(horizons)).tables()


class _Marts(Known):
    """What the marts make of it."""

    def tables(self) -> dict[str, pl.DataFrame]:
        stay_of = {spell: stay for stay in self.stays for spell in stay.spells}
        return {
            "ae_waiting_times_daily": self._waiting_times(),
            "ae_department_now": self._department_now(),
            "reattendance_daily": self._reattendances(),
            "occupancy_hourly": self._hourly(stay_of),
            "occupancy_daily": self._daily(stay_of),
            "length_of_stay": self._lengths(),
            "admissions_daily": self._admissions(),
            "planted": pl.DataFrame(
                mirror.planted(), schema=["what", "feed", "org_code", "first_day", "last_day", "size"], orient="row"
            ),
        }

    def _levels(self, frame: pl.DataFrame, with_practice: bool = True) -> pl.DataFrame:
        """Each row once a level, with the code there."""
        parts = [
            frame.with_columns(org_level=pl.lit("nation"), org_code=pl.lit(NATION_CODE)),
            frame.with_columns(
                org_level=pl.lit("region"), org_code=pl.col("provider").replace_strict(self.region, default=None)
            ),
            frame.with_columns(
                org_level=pl.lit("icb"), org_code=pl.col("provider").replace_strict(self.icb, default=None)
            ),
            frame.with_columns(org_level=pl.lit("trust"), org_code=pl.col("provider")),
            frame.filter(pl.col("site") != pl.col("provider")).with_columns(
                org_level=pl.lit("site"), org_code=pl.col("site")
            ),
        ]
        if with_practice:
            parts.append(frame.with_columns(org_level=pl.lit("gp_practice"), org_code=pl.col("practice")))
        return pl.concat(parts, how="diagonal_relaxed").filter(pl.col("org_code").is_not_null())

    def _departments(self, frame: pl.DataFrame) -> pl.DataFrame:
        return pl.concat(
            [frame.with_columns(department_type=pl.col("kind")), frame.with_columns(department_type=pl.lit("all"))]
        )

    def _waiting_times(self) -> pl.DataFrame:
        wait = pl.col("departure") - pl.col("arrival")
        bed_wait = pl.when(
            (pl.col("decision") >= pl.col("arrival")) & (pl.col("decision") <= pl.col("departure"))
        ).then(pl.col("departure") - pl.col("decision"))

        def since(name: str) -> pl.Expr:
            minutes = pl.col(name) - pl.col("arrival")
            return pl.when(minutes.is_between(0, DAY)).then(minutes)

        measures = {"time_to_assessment": "a", "time_to_treatment": "t", "time_in_department": "w"}
        grouped = (
            self._departments(
                self._levels(
                    self.attendances.with_columns(w=wait, b=bed_wait, a=since("assessment"), t=since("treatment"))
                )
            )
            .group_by("day", "org_level", "org_code", "department_type")
            .agg(
                attendances=pl.len(),
                four_hour_attendances=pl.col("w").count(),
                over_four_hours=(pl.col("w") > 240).sum(),
                over_12_hours_from_arrival=(pl.col("w") > 720).sum(),
                over_12_hours_from_decision_to_admit=(pl.col("b") > 720).sum(),
                **{
                    f"{name}_{label}_minutes": pl.col(column).quantile(share, "linear")
                    for name, column in measures.items()
                    for label, share in (("median", 0.5), ("p95", 0.95))
                },
            )
            .with_columns(
                within_four_hours_rate=pl.when(pl.col("four_hour_attendances") > 0).then(
                    1 - pl.col("over_four_hours") / pl.col("four_hour_attendances")
                )
            )
        )
        return _dated(grouped, "day", "date", ["org_level", "org_code", "department_type"])

    def _hours(self, horizon: int) -> list[int]:
        """Instants of the hours that are told, and the last."""
        end = int(midnight(np.array([horizon + 1]))[0])
        days = [day_number(day) for day in HOURLY]
        begins = [(int(midnight(np.array([day]))[0]), int(midnight(np.array([day + 1]))[0])) for day in days]
        return sorted(
            {hour for start, until in begins for hour in range(start, until + 1, HOUR) if hour <= end} | {end}
        )

    def _department_now(self) -> pl.DataFrame:
        horizon = self.horizons["ecds_attendances"]
        hours = self._hours(horizon)
        frame = self.attendances.with_columns(left=pl.coalesce("departure", pl.col("arrival") + DAY))
        valid = (pl.col("decision") >= pl.col("arrival")) & (
            pl.col("departure").is_null() | (pl.col("decision") <= pl.col("departure"))
        )
        arrival, left = (frame[name].to_numpy() for name in ("arrival", "left"))
        inside = [np.flatnonzero((arrival <= hour) & (hour < left)) for hour in hours]
        frame = frame[np.concatenate(inside)].with_columns(
            pl.Series("hour", np.repeat(np.array(hours), [len(rows) for rows in inside]))
        )
        frame = frame.with_columns(w=(valid & (pl.col("decision") <= pl.col("hour"))).fill_null(False))
        grouped = (
            self._departments(self._levels(frame, with_practice=False))
            .group_by("hour", "org_level", "org_code", "department_type")
            .agg(
                patients_in_department=pl.len(),
                patients_waiting_for_bed=pl.col("w").sum(),
                oldest_wait_minutes=(pl.col("hour") - pl.col("arrival")).max(),
            )
            .with_columns(is_latest=pl.col("hour") == hours[-1])
        )
        return _timed(grouped, ["org_level", "org_code", "department_type"])

    def _reattendances(self) -> pl.DataFrame:
        known = (
            self.attendances.filter(pl.col("person") >= 0)
            .with_columns(lineage=pl.col("provider").replace_strict(self.lineage))
            .sort("person", "lineage", "arrival", "provider", "number")
        )
        before = pl.col("arrival").shift(1).over("person", "lineage")
        known = known.with_columns(back=((pl.col("arrival") - before) <= WEEK).fill_null(False))
        grouped = (
            self._levels(known)
            .group_by("day", "org_level", "org_code")
            .agg(attendances=pl.len(), reattendances_within_7_days=pl.col("back").sum())
            .with_columns(reattendance_rate=pl.col("reattendances_within_7_days") / pl.col("attendances"))
        )
        return _dated(grouped, "day", "date", ["org_level", "org_code"])

    def _census(self, instants: list[int], stay_of: dict[int, Stay], with_practice: bool) -> pl.DataFrame:
        """Everybody in at each of the instants, once a bed type and level; `at` is the instant."""
        days = local_day(np.array(instants, dtype=np.int64)).tolist()
        rows: list[tuple[int, int, str, bool]] = []
        admission, discharge = self.spells["admission"].to_list(), self.spells["discharge"].to_list()
        admitted_on, functions, numbers = (
            self.spells[name].to_list() for name in ("admitted_on", "function", "number")
        )
        firsts = np.searchsorted(instants, np.array(admission)).tolist()
        for place, stay in stay_of.items():
            first, end = firsts[place], or_never(discharge[place])
            if first == len(instants) or instants[first] >= end:
                continue
            person = self.spells["person"][place]
            taken = self._positive_from(person, admitted_on[stay.spells[0]] - 14) if person >= 0 else None
            periods = self.critical_care.get(numbers[place], ())
            for number in range(first, len(instants)):
                at = instants[number]
                if at >= end:
                    break
                covid = taken is not None and taken <= days[number]
                rows.append((place, at, "all", covid))
                inside = [one for one in periods if one[0] <= at and (one[2] == NEVER or at < one[2])]
                if inside:
                    rows.append((place, at, max(inside)[3], covid))
                elif functions[place] not in NOT_ACUTE:
                    rows.append((place, at, "general_acute", covid))
        frame = pl.DataFrame(
            rows, schema={"place": pl.Int64, "at": pl.Int64, "bed_type": pl.String, "covid": pl.Boolean}, orient="row"
        )
        frame = frame.join(
            self.spells.select("provider", "site", "practice").with_row_index("place").cast({"place": pl.Int64}),
            on="place",
        )
        return (
            self._levels(frame, with_practice)
            .group_by("at", "org_level", "org_code", "bed_type")
            .agg(occupied_beds=pl.len(), covid_occupied_beds=pl.col("covid").sum())
        )

    def _hourly(self, stay_of: dict[int, Stay]) -> pl.DataFrame:
        census = self._census(self._hours(self.horizons["apc_spells"]), stay_of, with_practice=False)
        return _timed(census.rename({"at": "hour"}), ["org_level", "org_code", "bed_type"])

    def _daily(self, stay_of: dict[int, Stay]) -> pl.DataFrame:
        first = self.spells["admitted_on"].min()
        days = np.arange(first, self.horizons["apc_spells"] + 1)
        eight = _at_eight(days)
        census = self._census(eight.tolist(), stay_of, with_practice=True)
        census = census.join(pl.DataFrame({"at": eight, "day": days}), on="at").drop("at")
        return _dated(census, "day", "snapshot_date", ["org_level", "org_code", "bed_type"])

    def _lengths(self) -> pl.DataFrame:
        horizon = self.horizons["apc_spells"]
        rows = self.spells.rows(named=True)
        found: list[tuple[Any, ...]] = []
        for stay in self.stays:
            first, last = rows[stay.spells[0]], rows[stay.last]
            end = last["discharged_on"]
            nights = (horizon if end is None else end) - first["admitted_on"]
            groups = ["all"]
            if first["person"] >= 0:
                taken = self._positive_from(first["person"], first["admitted_on"] - 14)
                if taken is not None and taken <= (horizon if end is None else end):
                    groups.append("covid_test")
            if any(rows[place]["is_diagnosed"] for place in stay.spells):
                groups.append("covid_diagnosed")
            use = "yes" if any(self.critical_care.get(rows[place]["number"]) for place in stay.spells) else "no"
            month = date_of(first["admitted_on"]).replace(day=1)
            for group in groups:
                for band in ("all", first["age_band"]):
                    for used in ("all", use):
                        found.append(
                            (
                                first["provider"],
                                first["site"],
                                first["practice"],
                                month,
                                group,
                                band,
                                used,
                                nights,
                                end is not None,
                            )
                        )
        names = (
            "provider",
            "site",
            "practice",
            "admission_month",
            "covid_group",
            "age_band",
            "critical_care_use",
            "nights",
            "ended",
        )
        frame = pl.DataFrame(found, schema=names, orient="row")
        keys = ["admission_month", "org_level", "org_code", "covid_group", "age_band", "critical_care_use"]
        is_whole = (pl.col("age_band") == "all") & (pl.col("critical_care_use") == "all")
        ended = pl.col("nights").filter(pl.col("ended"))
        so_far = pl.col("nights").filter(~pl.col("ended"))
        grouped = (
            self._levels(frame)
            .filter(is_whole | ~pl.col("org_level").is_in(["site", "gp_practice"]))
            .group_by(keys)
            .agg(
                stays=pl.len(),
                completed_stays=pl.col("ended").sum(),
                lower_quartile_nights=ended.quantile(0.25, "linear"),
                median_nights=ended.quantile(0.5, "linear"),
                upper_quartile_nights=ended.quantile(0.75, "linear"),
                p90_nights=ended.quantile(0.9, "linear"),
                still_in_hospital=so_far.len(),
                still_over_7_nights=(so_far > 7).sum(),
                still_over_14_nights=(so_far > 14).sum(),
                still_over_21_nights=(so_far > 21).sum(),
                e=ended,
                s=so_far,
            )
            .sort(keys)
        )
        medians = [_median_remaining(one, other) for one, other in grouped.select("e", "s").iter_rows()]
        return grouped.drop("e", "s").with_columns(pl.Series("km_median_nights", medians, dtype=pl.Int64))

    def _admissions(self) -> pl.DataFrame:
        merged = {place for stay in self.stays for place in stay.merged}
        found: list[tuple[int, int, str]] = []
        rows = self.spells.rows(named=True)
        for place, row in enumerate(rows):
            if row["patient_class"] not in (1, 2) or place in merged:
                continue
            day, person = row["admitted_on"], row["person"]
            measures = ["admissions", *(name for name, methods in BY_METHOD.items() if row["method"] in methods)]
            taken = self._positive_from(person, day - 14) if person >= 0 else None
            if taken is not None and taken <= day:
                measures.append("covid_test_admissions")
                if any(start <= day and (end == NEVER or day < end) for start, end in self.homes.get(person, ())):
                    measures.append("covid_care_home_admissions")
            measures += ["covid_diagnosed_admissions"] * row["is_diagnosed"] + ["covid_primary_admissions"] * row[
                "is_primary"
            ]
            found += [(place, day, measure) for measure in measures]
        found += self._infections(rows)
        measures = [
            "admissions",
            *BY_METHOD,
            "covid_test_admissions",
            "covid_diagnosed_admissions",
            "covid_primary_admissions",
        ]
        measures += ["covid_care_home_admissions", *HCAI]
        frame = pl.DataFrame(found, schema={"place": pl.Int64, "day": pl.Int64, "measure": pl.String}, orient="row")
        frame = frame.join(
            self.spells.select("provider", "site", "practice").with_row_index("place").cast({"place": pl.Int64}),
            on="place",
        )
        grouped = (
            self._levels(frame)
            .group_by("day", "org_level", "org_code")
            .agg(**{measure: (pl.col("measure") == measure).sum() for measure in measures})
        )
        return _dated(grouped, "day", "date", ["org_level", "org_code"])

    def _infections(self, rows: list[dict[str, Any]]) -> Iterator[tuple[int, int, str]]:
        """The stay of each first positive specimen: its first spell, the day on which it counts, the class."""
        by_person: dict[int, list[Stay]] = defaultdict(list)
        for stay in self.stays:
            by_person[rows[stay.spells[0]]["person"]].append(stay)
        for person, tests in self.positives.items():
            taken = tests[0][0]
            stays = by_person.get(person, [])
            during = [
                stay
                for stay in stays
                if rows[stay.spells[0]]["admitted_on"] <= taken and taken <= or_never(rows[stay.last]["discharged_on"])
            ]
            after = [stay for stay in stays if 1 <= rows[stay.spells[0]]["admitted_on"] - taken <= 14]
            for stay in (during or after)[:1]:
                admitted = rows[stay.spells[0]]["admitted_on"]
                day = taken - admitted
                place = 0 if day <= 2 else 1 if day <= 7 else 2 if day <= 14 else 3
                yield stay.spells[0], max(taken, admitted), HCAI[place]


def _at_eight(days: Ints) -> Ints:
    """08:00 on the wall clock of each day: clocks change before it."""
    begins = midnight(days)
    return begins + 8 * HOUR + (midnight(days + 1) - begins - DAY)


def _median_remaining(ended: list[int], censored: list[int]) -> int | None:
    """Kaplan-Meier: least whole number of nights at which at most half remain."""
    remaining = 1.0
    everyone = sorted([*ended, *censored])
    for nights, left in sorted(Counter(ended).items()):
        remaining *= 1 - left / (len(everyone) - bisect_left(everyone, nights))
        if remaining <= 0.5 + 1e-9:
            return nights
    return None


def _dated(frame: pl.DataFrame, number: str, name: str, keys: list[str]) -> pl.DataFrame:
    """The day as a date, in front, and rows in order."""
    frame = frame.with_columns(pl.col(number).cast(pl.Int32).cast(pl.Date).alias(name))
    rest = [column for column in frame.columns if column not in (number, name, *keys)]
    return frame.select(name, *keys, *rest).sort(name, *keys)


def _timed(frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    frame = frame.with_columns((pl.col("hour") * 60_000_000).cast(pl.Datetime("us")).alias("hour_at"))
    rest = [column for column in frame.columns if column not in ("hour", "hour_at", *keys)]
    return frame.select("hour_at", *keys, *rest).sort("hour_at", *keys)
