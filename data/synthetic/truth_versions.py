"""Figures as they were known: the versions that publications leave, and the revisions between them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from data.synthetic.publication import Publication, Value

WITHDRAWN = "withdrawn"
# One file an area: what it leaves out of another area it does not take back.
PUBLISHED_BY_AREA = ("ukhsa_dashboard",)


@dataclass(frozen=True)
class Version:
    """What was known of one figure from one publication until, exclusively, the next that changed it."""

    metric_id: str
    org_code: str
    period_start: dt.date
    known_from: dt.date
    value: Value
    status: str
    period_end: dt.date
    feed: str
    known_to: dt.date | None = None


def versions_of(publications: list[Publication]) -> Iterator[Version]:
    """Figures as they were known: a repeated value is no new version, a row that is dropped is closed."""
    history = defaultdict(list)
    for publication in sorted(publications, key=lambda publication: publication.known_from):
        for metric_id, start in publication.figures:
            history[metric_id, start, publication.period_end(metric_id, start)].append(publication)
    for (metric_id, start, end), issues in sorted(history.items()):
        for org_code in sorted({org_code for issue in issues for org_code in issue.figures[metric_id, start]}):
            yield from _of_one(metric_id, start, end, org_code, issues)


def _of_one(
    metric_id: str, start: dt.date, end: dt.date, org_code: str, issues: list[Publication]
) -> Iterator[Version]:
    current: Version | None = None
    for issue in issues:
        if issue.feed in PUBLISHED_BY_AREA and org_code not in issue.figures[metric_id, start]:
            continue
        said = None
        if org_code in issue.figures[metric_id, start]:
            value, status = issue.figures[metric_id, start][org_code], issue.status(metric_id, start, org_code)
            if current and (current.value, current.status) == (value, status):
                continue
            said = Version(metric_id, org_code, start, issue.known_from, value, status, end, issue.feed)
        if current:
            yield replace(current, known_to=issue.known_from)
        current = said
    if current:
        yield current


def revisions(versions: Iterable[Version]) -> Iterator[list[object]]:
    """Each version that took the place of another, and rows that a later publication left out."""
    for _, of_one in groupby(versions, key=lambda v: (v.metric_id, v.period_start, v.period_end, v.org_code)):
        known = list(of_one)
        for before, after in pairwise(known):
            if before.known_to == after.known_from:
                yield _revision(before, after.known_from, after.value, after.status)
            else:
                yield _revision(before, before.known_to, None, WITHDRAWN)
        if known[-1].known_to:
            yield _revision(known[-1], known[-1].known_to, None, WITHDRAWN)


def _revision(before: Version, revised: dt.date | None, value: Value, status: str) -> list[object]:
    return [
        before.metric_id,
        before.org_code,
        before.period_start,
        before.period_end,
        before.known_from,
        revised,
        before.value,
        value,
        before.status,
        status,
    ]
