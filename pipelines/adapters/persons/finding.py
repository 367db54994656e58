"""Where the rows of one person are: every original of every feed of persons is looked through, refused ones too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines.adapters import catalogue, warehouse
from pipelines.adapters.keys import KeyStore
from pipelines.adapters.landing import Held, Landing
from pipelines.adapters.persons.redaction import Cut, Person, Uncut, is_linked
from pipelines.domain.feeds import Feed
from pipelines.domain.refusals import printable
from pipelines.settings import Settings

PERSON_COLUMN = "person_pseudonym"


class Unfindable(Exception):
    """An accepted file that cannot be taken apart; one line that names it."""


@dataclass(frozen=True)
class Found:
    """What was found in the store as it was: `seen` stands for it.

    `rows` are how many are the person's in each batch that has some (feed, digest, number); None for a refused file
    that nobody can take apart, which goes whole. `records` are the keys of the person's records, `marks` their numbers.
    """

    seen: str
    rows: list[tuple[str, str, int | None]] = field(repr=False)
    records: list[str] = field(repr=False)
    marks: list[str] = field(repr=False)

    def by_batch(self) -> dict[tuple[str, str], int | None]:
        """The rows by feed and digest."""
        return {(feed, sha256): rows for feed, sha256, rows in self.rows}


def find(settings: Settings, number: str, known: Found | None = None) -> Found:
    """Look for a person; what is `known` is told again when the store holds the same still.

    Raises `Unfindable`, and `KeyMissing` and `SealBroken` when an original cannot be opened.
    """
    landing = Landing(settings)
    feeds = {name: feed for name, feed in catalogue.feeds().items() if feed.records}
    held = [one for name in sorted(feeds) for one in landing.batches(name)]
    seen = _state(held)
    if known is not None and known.seen == seen:
        return known
    if not held:
        return Found(seen, [], [], [])
    person = Person(number, KeyStore(settings).pseudonyms(in_use=any(one.verdict == "accepted" for one in held)))
    uncut = set()
    linked = [one for one in held if is_linked(feeds[one.feed])]
    for one in [one for one in held if one not in linked]:
        uncut |= _learn(landing, feeds[one.feed], one, person)
    _settle(settings, feeds.values(), person)
    # Critical care periods last: their spells are known then.
    for one in linked:
        uncut |= _learn(landing, feeds[one.feed], one, person)
    rows: list[tuple[str, str, int | None]] = [(one.feed, one.sha256, None) for one in uncut]
    for one in held:
        if one not in uncut and (count := Cut(feeds[one.feed], landing.source(one), person, packed=False).count()):
            rows.append((one.feed, one.sha256, count))
    return Found(seen, sorted(rows, key=lambda one: one[:2]), sorted(person.records), sorted(person.marks))


def _learn(landing: Landing, feed: Feed, held: Held, person: Person) -> set[Held]:
    """Learn which records are the person's; the batch itself when it cannot be taken apart and was refused."""
    try:
        Cut(feed, landing.source(held), person, learn=True, packed=False).count()
    except Uncut:
        # What was emptied before has nothing more to give.
        if int(held.manifest.get("redacted", {}).get("size_bytes", 1)) == 0:
            return set()
        if held.verdict == "accepted":
            name = printable(str(held.manifest["file_name"]))
            raise Unfindable(f"{held.feed}: {name} ({held.sha256[:12]}) cannot be taken apart") from None
        return {held}
    return set()


def _settle(settings: Settings, feeds: Iterable[Feed], person: Person) -> None:
    """Records that accepted rows say to be the person's are theirs; those of which another row names somebody not."""
    with warehouse.shared(settings) as connection:
        for feed in feeds:
            files = sorted((settings.accepted / feed.feed).glob("[0-9a-f]*.parquet"))
            if feed.records is None or PERSON_COLUMN not in feed.records.accepted_schema() or not files:
                continue
            rows = warehouse.accepted_file(settings.accepted / feed.feed / "*.parquet")
            mine = f"{PERSON_COLUMN} = '{person.pseudonym}'::UUID"
            sql = f"SELECT DISTINCT replace(record_key::VARCHAR, '-', '') FROM {rows} WHERE "
            person.records |= {key for (key,) in connection.execute(sql + mine).fetchall()}
            listed = ", ".join(f"'{key}'::UUID" for key in sorted(person.records))
            if listed:
                others = f"{PERSON_COLUMN} IS NOT NULL AND NOT {mine} AND record_key IN ({listed})"
                person.records -= {key for (key,) in connection.execute(sql + others).fetchall()}


def _state(held: Iterable[Held]) -> str:
    lines = sorted(f"{one.feed} {one.sealed_as} {one.verdict}" for one in held)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
