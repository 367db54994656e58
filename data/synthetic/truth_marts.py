"""What each subject mart should say as known now: nation, regions, ICBs and trusts, in the three organisation views.

In the two views that re-express organisations of the trusts only those that an event concerns are told: every other
is what it was as reported.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

from data.synthetic.england import England
from data.synthetic.geography import NATION_CODE
from data.synthetic.publication import NOT_COLLECTED, NOT_REPORTED, PROVISIONAL, REPORTED, Value
from data.synthetic.truth_versions import Version
from data.synthetic.truth_views import AS_CURRENT, AS_REPORTED, CONCERNED, VIEWS, counted

NOT_APPORTIONABLE = "not_apportionable"
HAS_VALUE = (REPORTED, PROVISIONAL)
# From the strongest to the weakest of the states without a value.
NO_VALUE = ("suppressed", NOT_COLLECTED, NOT_REPORTED)

State = tuple[Value, str]
Leaf = dict[str, State]
# Dimension and basis, first and last day of the period.
Cell = tuple[str, str, dt.date, dt.date]
Row = list[object]


@dataclass(frozen=True)
class Subject:
    """One mart: its period, dimension, bases and measures; `lead` are the measures that say who reported."""

    mart: str
    period: str
    is_dated_by_end: bool
    dimension: str | None
    bases: tuple[str, ...]
    lead: tuple[str, ...]
    measures: tuple[str, ...]
    rates: dict[str, tuple[str, str]] = field(default_factory=dict)
    has_days: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        """Columns of its truth."""
        return (
            "organisation_view",
            self.period,
            "org_level",
            "org_code",
            *([self.dimension] if self.dimension else []),
            *(["basis"] if len(self.bases) > 1 else []),
            *self.measures,
            *self.rates,
            *(["days_covered"] if self.has_days else []),
            "orgs_reported",
            "status",
        )


_ADMISSIONS = (
    "admissions_and_diagnoses",
    "new_hospital_cases",
    "community_admissions",
    "community_admissions_lagged",
    "care_home_admissions",
)
_PRESSURE = (
    "closures",
    "diverts",
    "ambulance_arrivals",
    "handovers_30_to_60_minutes",
    "handovers_over_60_minutes",
)
_LONG_STAYS = ("patients_over_7_days", "patients_over_14_days", "patients_over_21_days")
SUBJECTS = (
    Subject(
        "ae_performance_monthly",
        "month",
        False,
        "department_type",
        ("msitae",),
        ("attendances",),
        (
            "attendances",
            "over_four_hours",
            "four_hour_attendances",
            "emergency_admissions_via_ae",
            "waits_dta_4_to_12_hours",
            "waits_dta_over_12_hours",
            "other_emergency_admissions",
        ),
        {"within_four_hours_rate": ("within_four_hours", "four_hour_attendances")},
    ),
    Subject(
        "occupancy_daily",
        "snapshot_date",
        True,
        "bed_type",
        ("covid_sitrep", "uec_sitrep", "msitrep"),
        ("occupied_beds", "covid_occupied_beds"),
        ("open_beds", "occupied_beds", "covid_occupied_beds", "core_beds", "escalation_beds"),
        {"occupancy_rate": ("occupied_beds", "open_beds")},
    ),
    Subject(
        "occupancy_quarterly",
        "quarter_start",
        False,
        "sector",
        ("kh03",),
        ("available_beds",),
        ("available_beds", "occupied_beds"),
        {"occupancy_rate": ("occupied_beds", "available_beds")},
    ),
    Subject("long_stay_daily", "snapshot_date", True, None, ("uec_sitrep",), _LONG_STAYS[:1], _LONG_STAYS),
    Subject("covid_admissions_daily", "date", True, None, ("covid_sitrep",), _ADMISSIONS, _ADMISSIONS),
    Subject(
        "ae_pressure_daily",
        "date",
        True,
        None,
        ("uec_sitrep",),
        ("ambulance_arrivals", "closures", "diverts"),
        _PRESSURE,
        has_days=True,
    ),
    Subject("covid_deaths_daily", "date", True, None, ("cpns",), ("deaths",), ("deaths",)),
)
DEPARTMENTS = ("type_1", "type_2", "other")
PARTS = {
    "occupied_beds": ("covid_occupied_beds", "non_covid_occupied_beds"),
    "open_beds": ("covid_occupied_beds", "non_covid_occupied_beds", "unoccupied_beds"),
}
VACCINATIONS = ("week_ending", "org_level", "org_code", "age_band", "first_doses", "second_doses", "total_doses")


def mart_rows(england: England, versions: Iterable[Version]) -> dict[str, tuple[tuple[str, ...], list[Row]]]:
    """Header and rows by mart."""
    leaves = _leaves(versions)
    rows = {subject.mart: (subject.header, list(_rows(england, subject, leaves))) for subject in SUBJECTS}
    return rows | {"vaccinations_weekly": (VACCINATIONS, list(_vaccinations(leaves)))}


def _leaves(versions: Iterable[Version]) -> dict[Cell, dict[str, Leaf]]:
    """Every figure known now, by cell and organisation, with what one organisation's figures come to."""
    leaves: dict[Cell, dict[str, Leaf]] = defaultdict(lambda: defaultdict(dict))
    for version in versions:
        if version.known_to is None:
            measure, dimension, basis = version.metric_id.split("__")
            cell = (dimension, basis, version.period_start, version.period_end)
            leaves[cell][version.org_code][measure] = (version.value, version.status)
    for (_, basis, _, _), by_org in leaves.items():
        if basis == "covid_sitrep":
            for leaf in by_org.values():
                leaf |= _with_parts(leaf)
    _departments(leaves)
    return leaves


def _with_parts(leaf: Leaf) -> Leaf:
    """Beds that are sums of parts: missing when a part is."""
    found = {}
    for whole, parts in PARTS.items():
        if all(part in leaf for part in parts):
            states = [leaf[part][1] for part in parts]
            values = [leaf[part][0] for part in parts]
            total = None if None in values else sum(value or 0 for value in values)
            found[whole] = (total, _strongest(states) if total is None else _state(states))
    return found


def _departments(leaves: dict[Cell, dict[str, Leaf]]) -> None:
    """A&E as the mart counts it, by department and for all: with booked appointments, the field test left out."""
    cells = [cell for cell in leaves if cell[1] == "msitae" and cell[0] in DEPARTMENTS]
    for cell in cells:
        for leaf in leaves[cell].values():
            leaf |= _four_hours(leaf)
    for _, basis, start, end in {("all", *cell[1:]) for cell in cells}:
        by_department = [leaves[one, basis, start, end] for one in DEPARTMENTS]
        for code, leaf in leaves["all", basis, start, end].items():
            for measure in ("attendances", "over_four_hours", "four_hour_attendances", "within_four_hours"):
                leaf[measure] = _sum([by_org[code][measure] for by_org in by_department])
            measure = "emergency_admissions_via_ae"
            leaf[measure] = _sum([by_org[code][measure] for by_org in by_department])


def _four_hours(leaf: Leaf) -> Leaf:
    came = _sum([leaf[name] for name in ("attendances_not_booked", "attendances_booked") if name in leaf])
    over = _sum([leaf[name] for name in ("over_four_hours_not_booked", "over_four_hours_booked") if name in leaf])
    if over[0] is None or came[0] is None:
        none: State = (None, over[1])
        return {"attendances": came, "over_four_hours": over, "four_hour_attendances": none, "within_four_hours": none}
    within: State = (came[0] - over[0], REPORTED)
    return {"attendances": came, "over_four_hours": over, "four_hour_attendances": came, "within_four_hours": within}


def _rows(england: England, subject: Subject, leaves: dict[Cell, dict[str, Leaf]]) -> Iterator[Row]:
    places = {organisation.code: organisation for organisation in england.organisations}

    @cache
    def icb_code(code: str, day: dt.date) -> str | None:
        return england.icb_code(places[code], day)

    for cell in sorted(leaves):
        dimension, basis, start, end = cell
        if basis not in subject.bases:
            continue
        members = {code: leaf for code, leaf in leaves[cell].items() if any(name in leaf for name in subject.lead)}
        # The same organisations come to the same figures in every view.
        come_to: dict[tuple[str, ...], tuple[Row, Row]] = {}
        for view in VIEWS:
            above: dict[tuple[str, str], list[str]] = defaultdict(list)
            split: set[str] = set()
            for code in members:
                now = counted(view, code, start)
                if not now.is_apportionable:
                    split.add(now.counted_as)
                above["nation", NATION_CODE].append(code)
                above["region", places[now.counted_as].region.code].append(code)
                if icb := icb_code(now.counted_as, dt.date.max if view == AS_CURRENT else start):
                    above["icb", icb].append(code)
                if places[now.counted_as].level == "trust" and (view == AS_REPORTED or now.counted_as in CONCERNED):
                    above["trust", now.counted_as].append(code)
            for (level, code), group in sorted(above.items()):
                if tuple(group) not in come_to:
                    figures = [members[one] for one in group]
                    come_to[tuple(group)] = _measures(subject, basis, figures), _reported(subject, figures)
                measures, (reported, status) = come_to[tuple(group)]
                yield [
                    view,
                    end if subject.is_dated_by_end else start,
                    level,
                    code,
                    *([dimension] if subject.dimension else []),
                    *([basis] if len(subject.bases) > 1 else []),
                    *measures,
                    *([(end - start).days + 1] if subject.has_days else []),
                    reported,
                    NOT_APPORTIONABLE if level == "trust" and code in split else status,
                ]


def _measures(subject: Subject, basis: str, group: list[Leaf]) -> Row:
    """Sums, then ratios of sums; in the COVID-19 return the parts are added over organisations first."""
    needed = {*subject.measures, *(name for pair in subject.rates.values() for name in pair)}
    if basis == "covid_sitrep":
        needed |= {part for parts in PARTS.values() for part in parts}
    sums = {name: exact_sum([leaf[name][0] for leaf in group if name in leaf]) for name in sorted(needed)}
    if basis == "covid_sitrep":
        for whole, parts in PARTS.items():
            values = [sums.get(part) for part in parts]
            sums[whole] = None if None in values else sum(value or 0 for value in values)
    shown = [sums.get(measure) for measure in subject.measures]
    return [*shown, *[ratio(sums.get(part), sums.get(whole)) for part, whole in subject.rates.values()]]


def _reported(subject: Subject, group: list[Leaf]) -> Row:
    """How many of those below reported the lead measure, and what that makes of the row."""
    states = [leaf[next(name for name in subject.lead if name in leaf)][1] for leaf in group]
    return [sum(state in HAS_VALUE for state in states), _state(states)]


def _vaccinations(leaves: dict[Cell, dict[str, Leaf]]) -> Iterator[Row]:
    """Every level as published: nothing is added."""
    for (band, basis, _, end), by_org in sorted(leaves.items(), key=lambda item: item[0]):
        if basis != "nims":
            continue
        for code, leaf in sorted(by_org.items()):
            level = "nation" if code == NATION_CODE else "region" if code.startswith("Y") else "icb"
            yield [end, level, code, band, *[leaf[name][0] if name in leaf else None for name in VACCINATIONS[4:]]]


def _sum(states: list[State]) -> State:
    """The sum of what has a value, exactly, and the state of the whole."""
    return exact_sum([value for value, _ in states]), _state([state for _, state in states])


def exact_sum(values: list[Value]) -> Value:
    """Sum of those that have a value, without the noise of binary fractions; None of nothing."""
    held = [value for value in values if value is not None]
    if all(isinstance(value, int) for value in held):
        return sum(held) if held else None
    return float(sum((Decimal(str(value)) for value in held), Decimal(0)))


def _state(states: list[str]) -> str:
    if any(state in HAS_VALUE for state in states):
        return PROVISIONAL if PROVISIONAL in states else REPORTED
    return _strongest(states)


def _strongest(states: list[str]) -> str:
    return next((state for state in NO_VALUE if state in states), NOT_REPORTED)


def ratio(part: Value, whole: Value) -> str | None:
    """A share to twelve decimal places; None where the whole is nothing or not known."""
    if part is None or not whole:
        return None
    return f"{Decimal(str(part)) / Decimal(str(whole)):.12f}"
