"""Taking a person-level file in: sealed bytes to accepted rows. Nothing of it is written in the clear."""

from __future__ import annotations

import uuid
from pathlib import Path

import polars as pl

from pipelines.adapters.keys import Key
from pipelines.adapters.persons import delivered, reading, sealed_source
from pipelines.adapters.persons.accepting import Accepting, Taken
from pipelines.adapters.persons.delivered import Delivered
from pipelines.adapters.persons.pseudonyms import keyed
from pipelines.adapters.persons.sealed_source import Original
from pipelines.domain.feeds import Feed
from pipelines.domain.persons.declaration import Records
from pipelines.domain.persons.rejecting import UNPARSABLE
from pipelines.settings import Settings


def take(
    settings: Settings, feed: Feed, original: Original, sha256: str, key: Key, terms: reading.Terms, target: Path
) -> Taken:
    """Read a file from its sealed bytes and write its accepted rows to `target`, encrypted.

    Raises `Refused` when the file as a whole is not what the feed promises.
    """
    records = _records(feed)

    def accepted(file: Delivered) -> Taken:
        return Accepting(feed, records, sha256, key, terms, target).take(file)

    taken, unparsable = delivered.read(settings, records, original, terms, accepted)
    if unparsable:
        taken.rejected[UNPARSABLE] = unparsable
    return taken


def identifiers(
    settings: Settings, feed: Feed, original: Original, key: Key, terms: reading.Terms, wanted: set[str]
) -> dict[str, str]:
    """The records' own numbers as sent, by record key, of the `wanted` ones that the file has. They stay in memory."""
    sought = pl.Series([one.replace("-", "") for one in wanted], dtype=pl.String)

    def sent(file: Delivered) -> dict[str, str]:
        found = {}
        sql = reading.record_texts(feed, file.texts)
        for batch in sealed_source.each(sealed_source.batches(file.connection, sql)):
            rows = pl.DataFrame(pl.from_arrow(batch)).with_columns(keyed("record_text", key).alias("key"))
            for text, of in rows.filter(pl.col("key").is_in(sought.implode())).iter_rows():
                found[str(uuid.UUID(of))] = text.rpartition(reading.SEPARATOR_TEXT)[2]
        return found

    return delivered.read(settings, _records(feed), original, terms, sent)[0]


def _records(feed: Feed) -> Records:
    if feed.records is None:
        raise ValueError(f"feed {feed.feed} is not of persons")
    return feed.records
