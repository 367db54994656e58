"""What holds for every history of organisations: in each view a return counts once, so England never changes."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.domain.feeds import NOT_REPORTED, PROVIDER, REPORTED
from tests.support.compiled import CompiledProject

FEED = "covid_hospital_activity"
METRIC = "covid_occupied_beds__all__covid_sitrep"
# Events fall between two days of figures, so that every code is used before and after every event.
EVENTS = [dt.date(2020, 4, 1), dt.date(2020, 10, 1), dt.date(2021, 4, 1), dt.date(2021, 10, 1)]
DAYS = [
    dt.date(2020, 2, 3),
    dt.date(2020, 4, 1),
    dt.date(2020, 7, 6),
    dt.date(2020, 12, 7),
    dt.date(2021, 7, 5),
    dt.date(2021, 12, 6),
]
OLD = dt.date(1994, 4, 1)
REGIONS = ("Y56", "Y60", "Y61")
VIEWS = ("as_at_date", "as_current")
NO_ALIASES: dict[str, list[dict[str, Any]]] = {"aliases_by_feed": []}
# A run builds a dozen tables; how busy the machine is says nothing of the law.
LAW = settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow])

Succession = tuple[str, str, dt.date]


@dataclass
class History:
    """Trusts, their sites and what became of them, and what each code returned on each day."""

    opened: dict[str, dt.date] = field(default_factory=dict)
    closed: dict[str, dt.date] = field(default_factory=dict)
    successions: list[Succession] = field(default_factory=list)
    trust_of_site: dict[dt.date, dict[str, str]] = field(default_factory=dict)
    returns: dict[tuple[str, dt.date], int | None] = field(default_factory=dict)


@st.composite
def countries(draw: st.DrawFn) -> History:
    """Eight histories that have nothing to do with each other: one build of the tables shows the laws for all."""
    country = History(trust_of_site={day: {} for day in (OLD, *EVENTS)})
    for letter in "ABCDEFGH":
        one = draw(histories(letter))
        country.opened |= one.opened
        country.closed |= one.closed
        country.successions += one.successions
        country.returns |= one.returns
        for day, sites in one.trust_of_site.items():
            country.trust_of_site[day] |= sites
    return country


@st.composite
def histories(draw: st.DrawFn, letter: str) -> History:
    """Four days of mergers, absorptions, splits, renames and moved sites, with codes used too late and too early."""
    history = History(opened={f"{letter}0{number}": OLD for number in range(4)})
    alive = list(history.opened)
    sites = {f"{code}01": code for code in alive}
    history.trust_of_site[OLD] = dict(sites)
    for day in EVENTS:
        for _ in range(draw(st.integers(0, 2))):
            first, second, third = (*draw(st.permutations(alive)), *alive * 2)[:3]
            new, other = (f"{letter}{len(history.opened) + number:02}" for number in (0, 1))
            possible = [(first, [new]), (first, [new, other]), (first, [first, new])]
            if second != first:
                possible += [(first, [second]), (first, [new, second]), (first, [first, second])]
            if third not in (first, second):
                possible += [(first, [second, third])]
            became = [draw(st.sampled_from(possible))]
            if second != first and draw(st.booleans()):
                became.append((second, [second, *became[0][1]] if second in became[0][1] else became[0][1]))
            sites[draw(st.sampled_from(sorted(sites)))] = second
            _let_happen(history, day, became, alive, sites)
        history.trust_of_site[day] = dict(sites)
    # Any code may be used on any day, before it began and after it ended, and may report nothing.
    codes = [*history.opened, *sites]
    for number, day in enumerate(DAYS):
        used, empty = (draw(st.integers(0, 2 ** len(codes) - 1)) for _ in range(2))
        for place, code in enumerate(codes):
            if used >> place & 1:
                history.returns[code, day] = None if (empty & used * 5) >> place & 1 else 1 + place * 37 + number * 11
    return history


def _let_happen(
    history: History, day: dt.date, became: list[tuple[str, list[str]]], alive: list[str], sites: dict[str, str]
) -> None:
    for code, successors in became:
        if set(successors) == {code}:
            continue
        history.successions += [(code, successor, day) for successor in successors]
        for successor in successors:
            history.opened.setdefault(successor, day)
            alive += [successor] if successor not in alive else []
        if code not in successors:
            history.closed[code] = day - dt.timedelta(days=1)
            alive.remove(code)
        for site in [site for site, trust in sites.items() if trust == code]:
            sites[site] = successors[-1]


def counted_as(history: History, view: str, code: str, day: dt.date) -> tuple[str, bool]:
    """The definition, told once more: what a trust's figure of a day is counted as, and whether that can be said."""
    after: dict[dt.date, set[str]] = defaultdict(set)
    for old, new, when in history.successions:
        if old == code:
            after[when].add(new)
    last = max(after, default=None)
    ahead = {when for when in after if when > day}
    if view == "as_current" and ahead:
        became = set.union(*(after[when] for when in ahead))
        if last and code not in after[last]:
            became.discard(code)
        if len(became) > 1:
            return code, False
        (successor,) = became
        return counted_as(history, view, successor, min(ahead)) if successor != code else (code, True)
    if last and not ahead:
        if code in after[last]:
            return code, True
        if len(after[last]) > 1:
            return code, False
        return counted_as(history, view, *after[last], day)
    before: dict[dt.date, set[str]] = defaultdict(set)
    for old, new, when in history.successions:
        if new == code and old != code:
            before[when].add(old)
    first = min(before, default=None)
    if view == "as_at_date" and first and day < first <= history.opened[code]:
        if len(before[first]) > 1:
            return code, False
        return counted_as(history, view, *before[first], day)
    return code, True


def site_counted_as(history: History, view: str, site: str, day: dt.date) -> str:
    """A site goes with the trust that runs it now when its trust of the day is in parts today, else by itself."""
    issues = history.trust_of_site
    trust_then = issues[max(when for when in issues if when <= day)][site]
    trust_now, whole = counted_as(history, view, issues[max(issues)][site], dt.date.max)
    is_in_parts = view == "as_current" and not counted_as(history, view, trust_then, day)[1]
    return trust_now if is_in_parts and whole and not _has_ended(history, trust_then, day) else site


def _has_ended(history: History, code: str, day: dt.date) -> bool:
    """Whether nothing more becomes of a code, or of what it became by that day: no site is of it any more."""
    events = {
        when: {new for old, new, of in history.successions if (old, of) == (code, when)}
        for _, _, when in [one for one in history.successions if one[0] == code]
    }
    if any(when > day for when in events):
        return False
    last = events[max(events)]
    return len(last) > 1 or _has_ended(history, *last, day)


@LAW
@given(history=countries())
def test_every_return_counts_once(compiled_project: CompiledProject, history: History) -> None:
    connection = compiled_project.run(["organisation_view", "occupancy_daily"], rows_of(history), NO_ALIASES)
    told = {day: [value for (_, of), value in history.returns.items() if of == day] for day in DAYS}
    england = connection.execute(
        "select organisation_view, snapshot_date, covid_occupied_beds, orgs_reported from marts.occupancy_daily"
        " where org_level = 'nation' and bed_type = 'all'"
    ).fetchall()
    expected = {
        (view, day): (sum(v for v in values if v is not None), sum(v is not None for v in values))
        for day, values in told.items()
        for view in ("as_reported", *VIEWS)
        if values
    }
    assert {(view, day): (beds or 0, reported) for view, day, beds, reported in england} == expected
    # Every level below adds to the same; a site that counts in its trust stands beside it.
    below = connection.execute(
        """
        select o.organisation_view, o.snapshot_date, coalesce(sum(o.covid_occupied_beds), 0)
        from marts.occupancy_daily as o
        left join marts.organisation_view as v
            on v.organisation_view = o.organisation_view and v.org_code = o.org_code and v.counted_as <> o.org_code
            and o.snapshot_date >= v.valid_from and o.snapshot_date < coalesce(v.valid_to, date '9999-12-31')
        where o.org_level in ('trust', 'site') and v.org_code is null
        group by 1, 2
        """
    ).fetchall()
    assert {(view, day): beds for view, day, beds in below} == {key: beds for key, (beds, _) in expected.items()}


@LAW
@given(history=countries())
def test_a_code_is_counted_as_its_definition_says(compiled_project: CompiledProject, history: History) -> None:
    connection = compiled_project.run(["organisation_view"], rows_of(history), NO_ALIASES)
    for view in VIEWS:
        for day in DAYS:
            found = {
                code: (counted, whole)
                for code, counted, whole in connection.execute(
                    """
                    select org_code, counted_as, is_apportionable
                    from marts.organisation_view
                    where organisation_view = ? and valid_from <= ? and ? < coalesce(valid_to, date '9999-12-31')
                    """,
                    [view, day, day],
                ).fetchall()
            }
            for code in history.opened:
                counted, whole = found.get(code, (code, True))
                assert (counted, whole) == counted_as(history, view, code, day), (view, code, day)
            for site in history.trust_of_site[OLD]:
                assert found.get(site, (site, True)) == (site_counted_as(history, view, site, day), True), (site, day)
            for code in history.opened:
                counted, _ = found.get(code, (code, True))
                # Whatever it is counted as stays what it is.
                assert found.get(counted, (counted, True))[0] == counted


def rows_of(history: History) -> dict[str, list[dict[str, Any]]]:
    """The history as accepted rows: one list of trusts, one of successions, one workbook, a list of sites an event."""
    published = [(feed, "all", dt.date(2022, 1, 1)) for feed in (FEED, "ods_trusts", "ods_succession")]
    published += [("ods_sites", str(day), day) for day in history.trust_of_site]
    return {
        "batches": [
            {
                "batch": batch,
                "feed": feed,
                "received_at": dt.datetime(2022, 1, 1),
                "known_from": dt.datetime.combine(day, dt.time()),
                "verdict": "accepted",
            }
            for feed, batch, day in published
        ],
        "ods_trusts": [
            {
                "batch": "all",
                "org_code": code,
                "org_name": code,
                "region_code": REGIONS[number % 3],
                "open_date": opened,
                "close_date": history.closed.get(code),
            }
            for number, (code, opened) in enumerate(history.opened.items())
        ],
        "ods_sites": [
            {"batch": str(day), "org_code": site, "org_name": site, "parent_code": trust}
            for day, sites in history.trust_of_site.items()
            for site, trust in sites.items()
        ],
        "ods_succession": [
            {"batch": "all", "org_code": old, "successor_code": new, "effective_date": day}
            for old, new, day in history.successions
        ],
        FEED: [
            {
                "batch": "all",
                "record": PROVIDER,
                "org_code": code,
                "org_name": code,
                "region_code": "Y56",
                "metric_id": METRIC,
                "period_start": day,
                "period_end": day,
                "value": value,
                "status": NOT_REPORTED if value is None else REPORTED,
            }
            for (code, day), value in history.returns.items()
        ],
    }
