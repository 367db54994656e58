"""Hostile files of every person-level feed: bad rows are counted and gone, bad files refused, and no value is told."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from data.synthetic.samples import person_samples
from pipelines import intake, settings
from pipelines.adapters import catalogue
from pipelines.intake import Arrival
from tests.support.stores import Store

Row = dict[str, str]
SAMPLES = {sample.feed: sample for sample in person_samples()}
FEEDS = sorted(SAMPLES)
# What stands in a hostile row and may stand nowhere else.
CANARY = "KANFEIND"
# Start and end of a record, where the feed has them; the end may lie ahead in the last two.
SPANS = {
    "ecds_attendances": ("arrival_date", "ec_departure_date"),
    "apc_spells": ("admission_date", "discharge_date"),
    "critical_care_periods": ("critical_care_start_date", "critical_care_discharge_date"),
    "covid_tests": ("specimen_date", None),
    "data_opt_outs": ("opt_out_date", None),
    "gp_registrations": ("registration_start_date", "registration_end_date"),
    "care_home_residents": ("residency_start_date", "residency_end_date"),
}


def rows_of(feed: str) -> list[Row]:
    names = [str(name) for name in SAMPLES[feed].table.columns]
    return [dict(zip(names, map(str, row), strict=True)) for row in SAMPLES[feed].table.rows]


def written(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def hostile_rows(feed: str) -> dict[str, list[Row]]:
    """Rows that a feed rejects, by the reason."""
    start, end = SPANS[feed]
    sample = rows_of(feed)[0]
    own = str(SAMPLES[feed].table.columns[SAMPLES[feed].table.key])
    if feed != "data_opt_outs":
        sample[own] = CANARY
    if end:
        sample[end] = sample[start]
    found = {
        "value_not_of_type": [sample | {start: "2020-02-30"}, sample | {start: CANARY}],
        "code_not_permitted": [sample | {"update_type": "7"}],
        "nhs_number_invalid": [sample | {"nhs_number": "9990000019"}],
        "nhs_number_not_test": [sample | {"nhs_number": "9434765919"}],
        "sentinel_date": [sample | {start: "1801-01-01"}],
        "date_in_future": [sample | {start: "2020-05-02"} | ({end: "2020-05-02"} if end else {})],
        "conflicting_version": [
            sample | {"record_version": "7", start: "2020-04-05"} | ({end: "2020-04-08"} if end else {}),
            sample | {"record_version": "7", start: "2020-04-06"} | ({end: "2020-04-08"} if end else {}),
        ],
    }
    if end:
        found["end_before_start"] = [sample | {start: "2020-04-08", end: "2020-04-07"}]
    if "person_birth_date" in sample:
        found["age_implausible"] = [sample | {"person_birth_date": birth} for birth in ("1890-01-01", "2020-04-30")]
    return found


def hostile_files(feed: str) -> dict[str, tuple[bytes, str]]:
    """Files that a feed refuses, and what is said of them."""
    good, rows = SAMPLES[feed].render(), rows_of(feed)
    other = SAMPLES[FEEDS[FEEDS.index(feed) - 1]].render()
    return {
        "a column too many.csv": (written([{**row, "ward": CANARY} for row in rows]), "undeclared columns hold values"),
        "a value in the header.csv": (
            written([{**row, "9990000019": CANARY} for row in rows]),
            "undeclared columns hold values: (no column name)",
        ),
        "another feed's.csv": (other, "declared columns are missing"),
        "one line.csv": (good.replace(b"\n", b" ") * 100, "no line end"),
        "a page of a web server.csv": (b"<html>\n<body>" + CANARY.encode() + b"</body>\n</html>\n", "missing"),
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store for all of them."""
    made = Store(tmp_path_factory.mktemp("records") / "store")
    settings.prepare(made.settings)
    return made


def received(store: Store, folder: Path, feed: str, files: dict[str, bytes]) -> dict[str, Arrival]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {one.file: one for one in intake.receive(store.settings, catalogue.feeds()[feed], [str(folder)])}


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_counts_its_hostile_rows(store: Store, tmp_path: Path, feed: str) -> None:
    """Each under its reason, beside good rows that stay; what is told holds nothing of the rows."""
    hostile = hostile_rows(feed)
    good = rows_of(feed)[1:]
    content = written([*good, *(row for rows in hostile.values() for row in rows)])
    [arrival] = received(store, tmp_path, feed, {"hostile.csv": content}).values()
    assert (arrival.verdict, arrival.reasons, arrival.rows) == ("accepted", [], len(good))
    assert arrival.rejected == {reason: len(rows) for reason, rows in hostile.items()}
    _tells_nothing(arrival)


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_refuses_hostile_files(store: Store, tmp_path: Path, feed: str) -> None:
    files = hostile_files(feed)
    arrivals = received(store, tmp_path, feed, {name: content for name, (content, _) in files.items()})
    for name, (_, says) in files.items():
        arrival = arrivals[name]
        assert (arrival.verdict, len(arrival.reasons)) == ("quarantined", 1), (name, arrival)
        assert says in arrival.reasons[0], (name, arrival.reasons)
        _tells_nothing(arrival)


def _tells_nothing(arrival: Arrival) -> None:
    told = json.dumps([arrival.reasons, arrival.warnings, arrival.rejected])
    assert not [mark for mark in (CANARY, "9990000019", "9434765919", "Fictional", "Invented", "ZZ99") if mark in told]
