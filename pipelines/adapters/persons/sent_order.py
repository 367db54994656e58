"""The order of records that nothing but their identifier tells apart.

Where two records of one person begin at one instant at one provider, the contract orders them by the identifier as
sent; of two critical care periods of one spell that start together likewise. Identifiers are nowhere but in the sealed
originals, so for those few records they are read there again, compared in memory, and only their order is kept.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines.adapters import catalogue, warehouse
from pipelines.adapters.files import write_json
from pipelines.adapters.keys import KeyStore
from pipelines.adapters.landing import Held, Landing
from pipelines.adapters.persons import reading, taking
from pipelines.settings import Settings, today

# What records have in common that tie; the first is whose they are.
TIES = {
    "ecds_attendances": ("person_pseudonym", "arrival_at", "provider_code"),
    "apc_spells": ("person_pseudonym", "admission_at", "discharge_at", "provider_code"),
    "critical_care_periods": ("spell_key", "critical_care_start_at"),
}
RECORD = "sent_order"


@dataclass(frozen=True)
class SentOrder:
    """Every record that ties with another, with its place among those of its person (`record_key`, `ordinal` from 1).

    `seen` are the batches that were looked at.
    """

    rows: list[dict[str, Any]]
    seen: list[str]


def find(settings: Settings) -> SentOrder:
    """The order as sent in the store as it is now.

    Batches that were looked at before are not looked at again but for what ties with new ones. Raises `KeyMissing` and
    `SealBroken` when an original that has to be read again cannot be opened.
    """
    landing = Landing(settings)
    accepted = {
        feed: {held.sha256: held for held in landing.batches(feed) if held.verdict == "accepted"} for feed in TIES
    }
    known, seen = _kept(settings, accepted)
    with warehouse.shared(settings) as connection:
        for feed, batches in accepted.items():
            new = sorted(set(batches) - seen)
            if not new:
                continue
            tied = _unknown(_tied(connection, settings, feed, new, whole=len(new) == len(batches)), known)
            wanted: dict[str, set[str]] = defaultdict(set)
            for _, record_key, batch in tied:
                wanted[batch].add(record_key)
            sent = {}
            for batch, keys in wanted.items():
                sent |= _identifiers(settings, landing, batches[batch], keys)
            known |= _places(tied, sent)
    return SentOrder(
        [{"record_key": key, "ordinal": place} for key, place in sorted(known.items())],
        sorted(batch for batches in accepted.values() for batch in batches),
    )


def remember(settings: Settings, found: SentOrder) -> None:
    """Note which batches were looked at, once the rows that were found are written."""
    write_json(settings.operations / f"{RECORD}.json", {"seen": found.seen})


def _kept(settings: Settings, accepted: dict[str, dict[str, Held]]) -> tuple[dict[str, int], set[str]]:
    """The places found before and the batches that were looked at; nothing when one of those is held no more."""
    note, record = settings.operations / f"{RECORD}.json", settings.operations / f"{RECORD}.parquet"
    if not note.exists() or not record.exists():
        return {}, set()
    seen = set(json.loads(note.read_text())["seen"])
    if not seen <= {batch for batches in accepted.values() for batch in batches}:
        return {}, set()
    with warehouse.shared(settings) as connection:
        return dict(warehouse.read_rows(connection, record).iter_rows()), seen


def _tied(
    connection: duckdb.DuckDBPyConnection, settings: Settings, feed: str, new: list[str], whole: bool
) -> list[tuple[str, str, str]]:
    """Whose, record key and batch of every record that ties with another, of those who have a row in a new batch."""
    columns = TIES[feed]
    owner = columns[0]
    rows = warehouse.accepted_file(settings.accepted / feed / "*.parquet")
    among = ""
    if not whole:
        files = ", ".join(warehouse.quoted(settings.accepted / feed / f"{batch}.parquet") for batch in new)
        among = f" AND {owner} IN (SELECT {owner} FROM {rows} WHERE filename IN ({files}))"
    alike = " AND ".join(f"r.{column} IS NOT DISTINCT FROM t.{column}" for column in columns[1:])
    # A night's few rows are kept for the second look; all rows of a store would fill the memory.
    once = "NOT MATERIALIZED" if whole else "MATERIALIZED"
    found = connection.execute(
        f"WITH theirs AS {once} (SELECT {', '.join(columns)}, record_key, batch FROM {rows} "
        f"WHERE NOT is_deletion AND {owner} IS NOT NULL{among}), "
        f"tied AS (SELECT {', '.join(columns)} FROM theirs GROUP BY ALL HAVING min(record_key) <> max(record_key)) "
        f"SELECT r.{owner}::VARCHAR, r.record_key::VARCHAR, min(r.batch) FROM theirs AS r "
        f"JOIN tied AS t ON r.{owner} = t.{owner} AND {alike} GROUP BY ALL ORDER BY ALL"
    )
    return found.fetchall()


def _unknown(tied: list[tuple[str, str, str]], known: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """What ties of those whose order is not known whole: an original is gone through for a single record."""
    owners = {owner for owner, record_key, _ in tied if record_key not in known}
    return [one for one in tied if one[0] in owners]


def _identifiers(settings: Settings, landing: Landing, held: Held, keys: set[str]) -> dict[str, str]:
    """The identifiers as sent of some records of a batch, by record key, from its sealed original."""
    feed = catalogue.feeds()[held.feed]
    basis = catalogue.register().in_force(feed, today(), str(held.manifest["agreement"]))
    terms = reading.Terms(today(), basis is not None and basis.test_numbers_only)
    key = KeyStore(settings).pseudonyms(in_use=True)
    return taking.identifiers(settings, feed, landing.source(held), key, terms, keys)


def _places(tied: list[tuple[str, str, str]], sent: dict[str, str]) -> dict[str, int]:
    theirs: dict[str, set[str]] = defaultdict(set)
    for owner, record_key, _ in tied:
        theirs[owner].add(record_key)
    return {
        record_key: place
        for keys in theirs.values()
        for place, record_key in enumerate(sorted(keys, key=lambda one: sent[one]), start=1)
    }
