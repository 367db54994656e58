"""What holds for every person-level file: the reader accepts, rejects and keeps what the oracle does, row for row."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import io
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest import TempPathFactory

from pipelines.adapters import catalogue, warehouse
from pipelines.adapters.keys import Key, KeyStore
from pipelines.adapters.persons import repeats, sealed_source
from pipelines.adapters.persons.reading import Terms
from pipelines.adapters.persons.taking import take
from pipelines.settings import Settings
from tests.support import oracle
from tests.support.person_files import Sent, SentStore, stores
from tests.support.person_rows import accepted_rows

RECEIVED = dt.date(2021, 1, 1)
EACH = sealed_source.each
SCHEMAS = {name: list(feed.records.accepted_schema()) for name, feed in catalogue.feeds().items() if feed.records}
# Every file is a pass of its own; `DATASTORE_EXAMPLES` asks for more of them than a run of all tests has time for.
LAW = settings(
    deadline=None,
    max_examples=int(os.environ.get("DATASTORE_EXAMPLES", "3")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Original:
    """A file as its sealed bytes are read, in frames of any size."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def frames(self) -> Iterator[bytes]:
        yield from (self.content[place : place + 1000] for place in range(0, len(self.content), 1000))

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        yield io.BytesIO(self.content)


@LAW
@given(store=stores(people=40, most_files=1), at_once=st.sampled_from([1 << 20, 5]))
def test_the_reader_reads_what_the_oracle_reads(
    tmp_path_factory: TempPathFactory, store: SentStore, at_once: int
) -> None:
    """In whatever pieces it streams by: of small ones, a version may come again when it was written long ago."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed_source, "each", lambda source: in_pieces(EACH(source), at_once))
        patch.setattr(repeats, "WAITING", 0 if at_once == 5 else repeats.WAITING)
        agree(tmp_path_factory, store)


def in_pieces(batches: Iterator[Any], rows: int) -> Iterator[Any]:
    """The same rows, at most so many at a time."""
    for batch in batches:
        yield from (batch.slice(place, rows) for place in range(0, batch.num_rows, rows))


def agree(tmp_path_factory: TempPathFactory, store: SentStore) -> None:
    """Reader and oracle, on every file of a store."""
    home = tmp_path_factory.mktemp("store")
    place = Settings(home=home, keys=home / "keys")
    key = KeyStore(place).pseudonyms(in_use=False)
    for sent in store.files:
        told = oracle.read(sent.file, RECEIVED)
        rows, rejected = read(place, key, sent, home / sent.name)
        assert Counter(rejected) == told.reasons
        # A file of which too much is rejected is quarantined by the gate, not by the reader.
        if not told.is_quarantined:
            kept = accepted_rows(list(told.accepted), lambda *texts: hashed(key, *texts))[sent.file.feed]
            assert rows == Counter(tuple(row.get(name) for name in SCHEMAS[sent.file.feed]) for row in kept)


def read(place: Settings, key: Key, sent: Sent, target: Path) -> tuple[Counter[Any], dict[str, int]]:
    """The accepted rows that the reader writes, and what it rejects."""
    feed = catalogue.feed(sent.file.feed)
    taken = take(place, feed, Original(sent.content), sent.file.digest, key, Terms(RECEIVED, True), target)
    with warehouse.connect(place) as connection:
        found = connection.execute(
            f"SELECT {', '.join(SCHEMAS[feed.feed])} FROM {warehouse.accepted_file(target)}"
        ).fetchall()
    assert len(found) == taken.accepted
    return Counter(
        tuple(str(cell) if isinstance(cell, UUID) else cell for cell in row) for row in found
    ), taken.rejected


def hashed(key: Key, *texts: str) -> str:
    """The identifier that stands for these texts: the first half of their keyed hash."""
    found = hmac.new(key.text.encode(), "\x1f".join(texts).encode(), hashlib.sha256)
    return str(UUID(found.hexdigest()[:32]))
