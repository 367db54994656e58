"""Taking files in: seal, read, judge, and settle each batch as accepted or quarantined.

`receive` does it for what a supplier hands over; `settle_pending` finishes what a stopped process left;
`judge_accepted` gives what the gate says of held batches today, judging again when the rules or the publication
before a batch changed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.adapters import catalogue, warehouse
from pipelines.adapters.expectations import judge
from pipelines.adapters.files import lock, write_json
from pipelines.adapters.keys import Key, KeyStore
from pipelines.adapters.landing import Held, Landing
from pipelines.adapters.persons import accepting, taking
from pipelines.adapters.persons.profile import profile
from pipelines.adapters.persons.reading import Terms
from pipelines.adapters.sources import NoInput, Source, expand
from pipelines.adapters.unfinished import require_none
from pipelines.domain.feeds import Feed, Known, Reading
from pipelines.domain.gates import VIEWS, Batch, Outcome, Rule, Suite
from pipelines.domain.refusals import MOST_LINES, Reason, Refused, printable, refuse
from pipelines.settings import LONDON, Settings, current_user, now, today

LARGEST_AGGREGATE = 512 * 1024**2
# Further apart than this, two publications are not one after the other.
FURTHEST_PREDECESSOR = dt.timedelta(days=400)
NO_ROWS = "_none.parquet"

# Who judges: the rules, the frame that each looks at, and the questions whose rule was kept before.
Judge = Callable[[Suite, Callable[[Rule], pl.DataFrame], Collection[str]], list[Outcome]]


@dataclass(frozen=True)
class Arrival:
    """What became of one thing that was named: a batch with its verdict, or no input at all (`sha256` is None)."""

    feed: str
    file: str
    verdict: str
    sha256: str | None = None
    already_held: bool = False
    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    rows: int | None = None
    period_start: str | None = None
    period_end: str | None = None
    known_from: str | None = None
    rejected: dict[str, int] = field(default_factory=dict)


def receive(
    settings: Settings,
    feed: Feed,
    arguments: list[str],
    published: dt.date | None = None,
    received_by: str | None = None,
    agreement: str | None = None,
    judged_by: Judge = judge,
) -> Iterator[Arrival]:
    """Take in every file that the arguments name, one `Arrival` each, in order.

    They are held under the feed's own agreement, or under another that covers it. Raises `Ungoverned` when that does
    not cover the feed, has no legal basis in force today, or has ended. Another may judge them than the gate, to
    measure what the gate costs.
    """
    held_under = catalogue.register().require_open(feed, today(), agreement)[0].id
    with lock(settings.locks / "intake"):
        require_none(settings)
        landing = Landing(settings)
        landing.clear_unfinished()
        known = catalogue.known()
        for argument in arguments:
            for source in expand(argument):
                if isinstance(source, tuple):
                    yield Arrival(feed.feed, printable(source[0]), "no input", reasons=[source[1]])
                else:
                    by = received_by or current_user()
                    yield _receive_one(landing, feed, source, published, known, by, held_under, judged_by)


def _receive_one(
    landing: Landing,
    feed: Feed,
    source: Source,
    published: dt.date | None,
    known: Known,
    received_by: str,
    agreement: str,
    judged_by: Judge,
) -> Arrival:
    name = printable(source.name)
    try:
        with source.open() as stream:
            held, is_new = landing.seal(
                feed,
                stream,
                file_name=name,
                origin=printable(source.origin, 500),
                received_by=received_by,
                published_given=published.isoformat() if published else None,
                agreement=agreement,
            )
    except NoInput as error:
        return Arrival(feed.feed, name, "no input", reasons=[str(error)])
    if held.verdict == "pending":
        settle(landing, feed, held, known, judged_by)
    told = arrival(held, name, already_held=not is_new)
    if (other := held.manifest["agreement"]) != agreement:
        line = f"the same bytes are held under agreement {other} already, and stay there"
        return replace(told, warnings=[*told.warnings, line])
    return told


def arrival(held: Held, name: str, already_held: bool) -> Arrival:
    """A held batch as it is reported, under the name given this time."""
    manifest = held.manifest
    return Arrival(
        held.feed,
        name,
        held.verdict,
        held.sha256,
        already_held,
        held.reasons,
        manifest.get("not_loaded", [])
        + [
            check["line"]
            for check in held.checks.get("checks", [])
            if not check["passed"] and check["severity"] == "warn"
        ],
        manifest.get("row_count"),
        manifest.get("period_start"),
        manifest.get("period_end"),
        manifest.get("known_from"),
        manifest.get("rejected", {}),
    )


def settle_pending(settings: Settings, feed: Feed) -> list[Held]:
    """Settle what a stopped process left, and see that the feed's accepted folder can be read even when empty."""
    with lock(settings.locks / "intake"):
        landing = Landing(settings)
        landing.clear_unfinished()
        pending = [held for held in landing.batches(feed.feed) if held.verdict == "pending"]
        for held in pending:
            settle(landing, feed, held, catalogue.known())
        none = settings.accepted / feed.feed / NO_ROWS
        if not none.exists():
            with warehouse.shared(settings) as connection:
                if feed.records:
                    accepting.write_none(connection, feed.records, none)
                else:
                    warehouse.write_rows(connection, pl.DataFrame(schema=feed.accepted_schema()), none)
    return pending


def settle(landing: Landing, feed: Feed, held: Held, known: Known, judged_by: Judge = judge) -> None:
    """Read a batch from its sealed bytes, judge it, and put it where it belongs. Doing it twice gives the same."""
    if feed.records:
        _settle_persons(landing, feed, held, judged_by)
        return
    try:
        if int(held.manifest["size_bytes"]) > LARGEST_AGGREGATE:
            raise Refused(Reason(f"larger than {LARGEST_AGGREGATE // 1024**2} MiB: not this publication"))
        content = b"".join(landing.original(held))
        reading = _read(content, feed, known, str(held.manifest["file_name"]))
    except Refused as refused:
        held.quarantine(refused.reasons)
        return
    _record_reading(held, reading)
    rows = reading.rows.with_columns(batch=pl.lit(held.sha256)).select(list(feed.accepted_schema()))
    others = [other for other in landing.batches(feed.feed) if other.verdict == "accepted"]
    before = _predecessors([*others, held])[held.sha256]
    checks = _judged(landing, feed, held, rows, known, before, judged_by)
    held.record_checks(checks)
    broken = [check for check in checks["checks"] if check["severity"] == "error" and not check["passed"]]
    if broken:
        held.quarantine([Reason(**place) for check in broken for place in check["places"]])
        return
    with warehouse.shared(landing.settings) as connection:
        warehouse.write_rows(connection, rows, held.accepted_path)


def _settle_persons(landing: Landing, feed: Feed, held: Held, judged_by: Judge) -> None:
    """The same for a person-level feed, whose rows stream from the sealed bytes and are rejected one by one."""
    settings = landing.settings
    received_on = dt.datetime.fromisoformat(held.manifest["received_at"]).astimezone(LONDON).date()
    _, basis = catalogue.register().require_in_force(feed, received_on, str(held.manifest["agreement"]))
    terms = Terms(received_on, basis.test_numbers_only)
    written = held.accepted_path.with_name(f".{held.sha256}.{uuid.uuid4().hex}")
    try:
        taken = taking.take(settings, feed, landing.source(held), held.sha256, _pseudonym_key(settings), terms, written)
        held.record(
            layout=taken.layout,
            row_count=taken.accepted,
            rejected=taken.rejected,
            published_on=None,
            period_start=taken.first_submission.isoformat() if taken.first_submission else None,
            period_end=taken.last_submission.isoformat() if taken.last_submission else None,
            not_loaded=[],
            known_from=held.manifest["received_at"],
        )
        checks = _judged_persons(settings, feed, held, written, judged_by)
        held.record_checks(checks)
        if broken := [check for check in checks["checks"] if check["severity"] == "error" and not check["passed"]]:
            held.quarantine([Reason(**place) for check in broken for place in check["places"]])
        else:
            warehouse.place(written, held.accepted_path)
    except Refused as refused:
        held.quarantine(refused.reasons)
    finally:
        written.unlink(missing_ok=True)


def _pseudonym_key(settings: Settings) -> Key:
    """The key of pseudonyms. Raises `KeyMissing` when rows were made with it and it is gone."""
    persons = [feed.feed for feed in catalogue.feeds().values() if feed.records]
    in_use = any(path for feed in persons for path in (settings.accepted / feed).glob("[0-9a-f]*.parquet"))
    return KeyStore(settings).pseudonyms(in_use)


def _judged_persons(settings: Settings, feed: Feed, held: Held, rows: Path, judged_by: Judge = judge) -> dict[str, Any]:
    taken_out = int(held.manifest.get("redacted", {}).get("rows", 0))
    with warehouse.shared(settings) as connection:
        profiled = profile(connection, feed, rows, held.manifest["rejected"], taken_out)
    batch = Batch(profiled, now().date())
    path = settings.landing_gate
    kept = set(json.loads(path.read_text())) if path.exists() else set()
    found = judged_by(catalogue.suite(feed.feed), lambda rule: VIEWS[rule.view](batch, rule.options), kept)
    if new := {outcome.question for outcome in found if outcome.passed} - kept:
        write_json(path, sorted(kept | new))
    outcomes = []
    for outcome in found:
        # The rule is kept or broken by one row of the profile; what it counted is what people want to know.
        [counted] = VIEWS[outcome.rule.view](batch, outcome.rule.options).rows(named=True)
        broken = 0 if outcome.passed else max(counted["broken"], 1)
        outcomes.append(Outcome(outcome.rule, counted["checked"], broken))
    return {
        "judged_with": _judged_with(feed, None),
        "judged_at": now().isoformat(),
        "checks": [_as_record(outcome) for outcome in outcomes],
    }


def _read(content: bytes, feed: Feed, known: Known, file_name: str) -> Reading:
    """What the feed's reader makes of a file. An error of the reader's own refuses the file, not the night."""
    try:
        reading = catalogue.reader(feed)(content, feed, known, file_name)
    except (Refused, MemoryError):
        raise
    except Exception as error:  # whatever it says may hold a value of the file: only its kind is told
        raise refuse(f"the reader of {feed.feed} failed ({type(error).__name__}): please report it") from None
    if reading.published_on and reading.published_on > known.received_on:
        raise refuse(f"published on {reading.published_on}, after the day of receipt: check the publication date")
    return reading


def judge_accepted(settings: Settings, feed: Feed) -> dict[str, dict[str, Any]]:
    """What the gate says of every accepted batch of a feed (by digest) under today's rules.

    A batch is judged anew only when the rules changed, or the publication before it is another one by now.
    """
    landing = Landing(settings)
    accepted = [held for held in landing.batches(feed.feed) if held.verdict == "accepted"]
    if feed.records:
        for held in accepted:
            if held.checks.get("judged_with") != _judged_with(feed, None):
                held.record_checks(_judged_persons(settings, feed, held, held.accepted_path))
        return {held.sha256: held.checks for held in accepted}
    before = _predecessors(accepted)
    found = {}
    for held in accepted:
        checks = held.checks
        if checks.get("judged_with") != _judged_with(feed, before[held.sha256]):
            with warehouse.shared(settings) as connection:
                rows = warehouse.read_rows(connection, held.accepted_path)
            checks = _judged(landing, feed, held, rows, catalogue.known(), before[held.sha256])
            held.record_checks(checks)
        found[held.sha256] = checks
    return found


def _record_reading(held: Held, reading: Reading) -> None:
    given = held.manifest["published_given"]
    published = reading.published_on or (dt.date.fromisoformat(given) if given else None)
    known_from = f"{published.isoformat()}T00:00:00+00:00" if published else held.manifest["received_at"]
    held.record(
        layout=reading.layout,
        row_count=reading.rows.height,
        published_on=published.isoformat() if published else None,
        period_start=reading.period_start.isoformat() if reading.period_start else None,
        period_end=reading.period_end.isoformat() if reading.period_end else None,
        not_loaded=list(reading.not_loaded),
        known_from=known_from,
    )


def _judged(
    landing: Landing,
    feed: Feed,
    held: Held,
    rows: pl.DataFrame,
    known: Known,
    before: Held | None,
    judged_by: Judge = judge,
) -> dict[str, Any]:
    previous = None
    if before is not None:
        with warehouse.shared(landing.settings) as connection:
            previous = warehouse.read_rows(connection, before.accepted_path)
    last_day = dt.datetime.fromisoformat(held.manifest["known_from"]).date()
    batch = Batch(rows, last_day, previous, known.icb_codes)

    def view_of(rule: Rule) -> pl.DataFrame:
        return VIEWS[rule.view](batch, rule.options)

    results = judged_by(catalogue.suite(feed.feed), view_of, ())
    return {
        "judged_with": _judged_with(feed, before),
        "judged_at": now().isoformat(),
        "checks": [_as_record(outcome) for outcome in results],
    }


def _judged_with(feed: Feed, before: Held | None) -> str:
    rules = hashlib.sha256(catalogue.suite_path(feed.feed).read_bytes()).hexdigest()
    return f"{rules}:{before.sha256 if before else ''}"


def _predecessors(batches: list[Held]) -> dict[str, Held | None]:
    """The publication before each batch: the same period published earlier, else the nearest earlier period.

    Lists have no period; theirs is the one known before. Files arrive in any order, so receipt does not matter.
    """
    places = sorted(
        ((manifest["period_end"] or "", manifest["known_from"]), held.sha256, held)
        for held in batches
        for manifest in [held.manifest]
    )
    before: dict[str, Held | None] = {}
    for index, (place, sha256, _) in enumerate(places):
        earlier = next((entry for entry in reversed(places[:index]) if entry[0] < place), None)
        before[sha256] = earlier[2] if earlier and _follows(place[0], earlier[0][0]) else None
    return before


def _follows(period_end: str, earlier: str) -> bool:
    if not period_end:
        return True
    return bool(earlier) and dt.date.fromisoformat(period_end) - dt.date.fromisoformat(earlier) <= FURTHEST_PREDECESSOR


def _as_record(outcome: Outcome) -> dict[str, Any]:
    """An outcome as it is kept: counts, places and codes; no value of the file."""
    rule = outcome.rule
    summary = f"{rule.reason} ({rule.id}: {outcome.broken} of {outcome.checked})"
    places = [
        Reason(f"{rule.reason} ({rule.id})", row.sheet, row.row, row.column)
        for row in outcome.rows[:MOST_LINES]
        if row.row
    ]
    if not outcome.passed and not places:
        places = [Reason(summary)]
    return {
        "check_id": rule.id,
        "severity": rule.severity,
        "passed": outcome.passed,
        "checked": outcome.checked,
        "broken": outcome.broken,
        "reason": rule.reason,
        "line": summary,
        "places": [reason.as_dict() for reason in places],
        "org_codes": dict(sorted(Counter(row.org_code for row in outcome.rows if row.org_code).items())),
    }


def inbox_files(settings: Settings) -> list[Path]:
    """What lies in the inbox of a declared feed and is not hidden."""
    return sorted(
        path
        for feed in catalogue.feeds()
        for path in (settings.inbox / feed).glob("*")
        if not path.name.startswith(".") and path.is_file() and not path.is_symlink()
    )


def inbox_key(files: list[Path]) -> str:
    """One text for one state of the inbox: names, sizes and times of change."""
    states = [f"{path}:{path.stat().st_size}:{path.stat().st_mtime_ns}" for path in files]
    return hashlib.sha256("\n".join(states).encode()).hexdigest()


def receive_inbox(settings: Settings, feed: Feed) -> Iterator[Arrival]:
    """Receive a feed's inbox. A file leaves it once it is settled: its bytes are sealed, whatever the verdict."""
    for path in inbox_files(settings):
        if path.parent.name != feed.feed:
            continue
        for one in receive(settings, feed, [str(path)]):
            if one.sha256 is not None:
                path.unlink()
            yield one
