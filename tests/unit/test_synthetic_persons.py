"""The people of the synthetic England: the same from the same seed, as many as asked for, and known to the last row."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data.synthetic.ae_activity import ae_publications
from data.synthetic.england import build_england
from data.synthetic.events import SUCCESSIONS
from data.synthetic.persons import Size, write_people
from data.synthetic.persons.fates import REASONS, Fate
from data.synthetic.persons.layout import COLUMNS
from data.synthetic.persons.mirror import AE_MONTH, AE_PROVIDERS, AE_SHORT, BED_PROVIDERS, BED_SHORT
from data.synthetic.persons.people import valid_numbers
from data.synthetic.persons.write import Written, making
from data.synthetic.winter_activity import GENERAL_ACUTE, winter_publications
from tests.support import oracle

AUTUMN = Size(people=900, first=dt.date(2020, 10, 20), last=dt.date(2020, 12, 2), nights=2, seed=7, is_varied=False)
SEED = 2020


def test_the_same_seed_writes_the_same_bytes_in_chunks_of_any_size(tmp_path: Path) -> None:
    """Packed in every way that suppliers pack; another seed writes others."""
    size = Size(people=3_000, first=dt.date(2020, 10, 1), last=dt.date(2020, 11, 30), is_varied=True, has_truth=False)
    written = [
        write_people(tmp_path / name, of)
        for name, of in {
            "whole": size,
            "chunks": Size(**{**vars(size), "chunk": 500}),
            "other": Size(**{**vars(size), "seed": 1}),
        }.items()
    ]
    whole, chunks, other = ([(one.name, one.sha256, one.rows) for one in of] for of in written)
    assert whole == chunks
    assert not {sha256 for _, sha256, _ in whole} & {sha256 for _, sha256, _ in other}
    assert {one.feed for one in written[0]} == set(COLUMNS)
    assert {"".join(Path(one.name).suffixes) for one in written[0]} == {".csv", ".csv.gz", ".csv.zst", ".parquet"}


def test_every_nhs_number_is_a_test_number_and_there_are_no_more_than_exist() -> None:
    """Modulus 11, once more and slowly; a number is nobody else's."""
    numbers = valid_numbers(3_000).tolist()
    assert len(set(numbers)) == 3_000
    for number in numbers:
        digits = [int(digit) for digit in str(number)]
        check = -sum(weight * digit for weight, digit in zip(range(10, 1, -1), digits, strict=False)) % 11
        assert str(number).startswith("999") and digits[9] == check, number
    everybody = valid_numbers(60_000_000)
    assert 900_000 < len(everybody) < 1_000_000
    assert everybody.min() >= 9_990_000_000 and everybody.max() <= 9_999_999_999


def test_a_nation_has_the_size_that_was_asked_for() -> None:
    """25 million attendances and 18 million spells in the year of both waves, judged from one in sixty of them."""
    made = making(Size(people=56_000_000, first=dt.date(2020, 1, 30), last=dt.date(2021, 1, 28), nights=1))
    contacts, part = made.world.contacts, 3_000
    begins = range(0, contacts - part, contacts // 211)
    parts = [made.world.make(start, start + part) for start in begins]
    scale = contacts / (part * len(begins))
    attendances = scale * sum(len(part.attendances.id) for part in parts)
    spells = scale * sum(len(part.spells.id) for part in parts)
    assert attendances == pytest.approx(25_000_000, rel=0.03)
    assert spells == pytest.approx(18_000_000, rel=0.03)


def test_what_is_told_is_what_an_independent_reading_finds(tmp_path: Path) -> None:
    """Rows refused by reason, file by file, and every mart, row by row: nights of changing clocks, mergers, errors."""
    written = write_people(tmp_path, AUTUMN)
    accepted = []
    for one in written:
        reading = oracle.read(oracle.SuppliedFile(one.sha256, one.feed, rows_of(tmp_path, one)), dt.date(2021, 2, 1))
        assert len(reading.file.rows) == one.rows and not reading.is_quarantined, one.name
        assert reading.reasons == one.rejected, one.name
        accepted += reading.accepted
    england = build_england(AUTUMN.seed)
    stated = [
        oracle.Statement(dt.date(2020, 2, 15), trust.code, trust.region.code, trust.icb.code if trust.icb else None)
        for trust in england.trusts
    ]
    after = [oracle.Succession(one.old, one.new, one.day) for one in SUCCESSIONS]
    records = oracle.records(accepted, oracle.Organisations(tuple(stated), tuple(after)))
    for mart, make in oracle.MARTS.items():
        told = list(csv.DictReader((tmp_path / "truth/persons" / f"{mart}.csv").open(newline="")))
        columns = list(told[0])
        hours = {row["hour_at"] for row in told} if "hour_at" in columns else None
        found = [{column: text(row[column]) for column in columns} for row in make(records)]
        if hours is not None:
            found = [row for row in found if row["hour_at"] in hours]
        ours = {tuple(text(cell) for cell in row.values()) for row in told}
        theirs = {tuple(row.values()) for row in found}
        assert sorted(ours ^ theirs)[:4] == [], mart
        assert len(told) == len(found) > 50, mart


def test_every_planted_error_is_there_and_counted() -> None:
    """In the size that a refresh reads each kind is planted, and far under a twentieth of a file is refused."""
    planted: Counter[str] = Counter()
    made = making(Size(is_varied=False))
    last = made.world.last - made.size.nights
    for stream in made.streams():
        batch = stream.until(last)
        refused = batch.reasons != ""
        assert refused.sum() < max(20, len(refused) * 0.03), stream.form.feed
        for fate, reason in zip(batch.sent.fate.tolist(), batch.reasons.tolist(), strict=True):
            planted[Fate(fate).name] += 1
            if reason and Fate(fate) != Fate.SWAPPED:
                assert reason == REASONS[Fate(fate)]
    assert {fate.name for fate in Fate} == set(planted)


def test_person_level_and_returns_say_the_same_but_for_what_is_planted(tmp_path: Path) -> None:
    """Attendances of April 2020 and general and acute beds of December 2019."""
    write_people(tmp_path, Size(people=2_500, last=dt.date(2020, 5, 3), seed=SEED, is_varied=False))
    england = build_england(SEED)
    truth = pl.read_csv(tmp_path / "truth/persons/ae_waiting_times_daily.csv", try_parse_dates=True).filter(
        pl.col("date").dt.strftime("%Y-%m") == "2020-04", org_level="trust", department_type="all"
    )
    [month] = [one for one in ae_publications(england, SEED) if any(start == AE_MONTH for _, start in one.figures)]
    for code in AE_PROVIDERS:
        came = sum(
            by_code.get(code) or 0
            for (metric_id, start), by_code in month.figures.items()
            if start == AE_MONTH and metric_id.startswith("attendances")
        )
        ours = truth.filter(org_code=code)["attendances"].sum()
        assert ours == (came - -(-came // 10) if code == AE_SHORT else came), code
    beds = pl.read_csv(tmp_path / "truth/persons/occupancy_daily.csv", try_parse_dates=True).filter(
        org_level="trust", bed_type="general_acute"
    )
    told = winter_publications(england, SEED)[-1]
    for (metric_id, start), by_code in told.figures.items():
        if metric_id == GENERAL_ACUTE[3]:
            for code in BED_PROVIDERS:
                day, occupied = told.period_end(metric_id, start), by_code[code]
                assert isinstance(occupied, int)
                ours = beds.filter(snapshot_date=day, org_code=code)["occupied_beds"].sum()
                assert ours == (occupied - occupied // 12 if code == BED_SHORT else occupied), (code, day)


def rows_of(folder: Path, one: Written) -> tuple[dict[str, str] | None, ...]:
    """The rows of a file, read line by line; None is one that is no row."""
    data = (folder / one.name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == one.sha256
    found: list[dict[str, str] | None] = []
    for line in data.split(b"\n")[1:-1]:
        try:
            [cells] = csv.reader([line.decode()])
        except UnicodeDecodeError:
            cells = []
        found.append(dict(zip(COLUMNS[one.feed], cells, strict=True)) if len(cells) == len(COLUMNS[one.feed]) else None)
    return tuple(found)


def text(value: Any) -> str:
    """A cell as it is compared: numbers to six places."""
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    try:
        return f"{float(value):.6f}"
    except (TypeError, ValueError):
        return str(value)
