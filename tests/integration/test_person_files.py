"""Person-level files from the sealed bytes to accepted rows: forms, refusals, rejected rows, versions, thresholds."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from data.synthetic.samples import person_samples
from pipelines import intake, settings
from pipelines.adapters import catalogue, expectations, records, warehouse
from pipelines.adapters.landing import Landing
from pipelines.domain.gates import Rule
from pipelines.intake import Arrival
from pipelines.settings import Settings
from tests.support.stores import Store

FEED = "ecds_attendances"
SAMPLES = {document.feed: document for document in person_samples()}
NAMES = [str(name) for name in SAMPLES[FEED].table.columns]
ROWS = [dict(zip(NAMES, map(str, row), strict=True)) for row in SAMPLES[FEED].table.rows]
PLAIN = SAMPLES[FEED].render()
OTHER_NUMBER = "9990000018"


def written(rows: list[dict[str, Any]], names: list[str] = NAMES, quoting: Any = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, lineterminator="\n", quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def changed(number: int = 0, **cells: str) -> dict[str, str]:
    """A row of the sample with other cells, and a number of its own."""
    return {**ROWS[number], "emergency_care_attendance_identifier": f"X{next(NUMBERS)}", **cells}


NUMBERS = iter(range(10_000))


def parquet(columns: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), target, row_group_size=7)
    return target.getvalue()


def texts() -> dict[str, Any]:
    return {name: [row[name] or None for row in ROWS] for name in NAMES}


def native() -> dict[str, Any]:
    made = texts()
    for name, cells in made.items():
        if name.endswith("_date"):
            made[name] = pa.array([cell and dt.date.fromisoformat(cell) for cell in cells], pa.date32())
        elif name.endswith("_time"):
            made[name] = pa.array([cell and dt.time.fromisoformat(cell) for cell in cells], pa.time64("us"))
    return made | {"record_version": pa.array([1] * len(ROWS)), "nobody": pa.nulls(len(ROWS))}


def zstd(content: bytes) -> bytes:
    target = pa.BufferOutputStream()
    with pa.CompressedOutputStream(target, "zstd") as stream:
        stream.write(content)
    return target.getvalue().to_pybytes()


FORMS: dict[str, bytes] = {
    "plain.csv": PLAIN,
    "mark.csv": b"\xef\xbb\xbf" + PLAIN,
    "crlf.csv": PLAIN.replace(b"\n", b"\r\n"),
    "no line end at the end.csv": PLAIN.rstrip(b"\n"),
    "blank lines.csv": PLAIN.replace(b"\n", b"\n\n"),
    "any order.csv": written(ROWS, NAMES[::-1]),
    "quoted.csv": written(ROWS, quoting=csv.QUOTE_ALL),
    "spaces.csv": PLAIN.replace(b",", b"  , "),
    "quoted spaces.csv": written([{n: f" {c} " for n, c in row.items()} for row in ROWS], quoting=csv.QUOTE_ALL),
    "an empty column.csv": written([{**row, "nobody": ""} for row in ROWS], [*NAMES, "nobody"]),
    "gzip named.csv": gzip.compress(PLAIN),
    "two members.gz": gzip.compress(PLAIN[:3000]) + gzip.compress(PLAIN[3000:]),
    "zstd.csv.zst": zstd(PLAIN),
    "text.parquet": parquet(texts()),
    "native.parquet": parquet(native()),
    "seconds.csv": written([{n: f"{c}:59" if n.endswith("_time") and c else c for n, c in r.items()} for r in ROWS]),
    "offsets.csv": written([{n: f"{c}+01:00" if n.endswith("_time") and c else c for n, c in r.items()} for r in ROWS]),
}
# A hundred members of zeros, each packed to a thousandth.
THREE_GB = gzip.compress(b"0" * 30_000_000, 1) * 100
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "the file is empty"),
    "no header.csv": (PLAIN.partition(b"\n")[2], "declared columns are missing: submission_date"),
    "a column missing.csv": (written([{n: r[n] for n in NAMES[:-1]} for r in ROWS], NAMES[:-1]), "missing: ec_chief"),
    "a column twice.csv": (PLAIN.replace(b"\n", b",site_code\n", 1), "twice in the header: site_code"),
    "capitals.csv": (PLAIN.replace(b"site_code", b"Site_Code", 1), "written in lower case"),
    "a column too many.csv": (
        written([{**row, "ward": "7" if n == 39 else ""} for n, row in enumerate(ROWS)], [*NAMES, "ward"]),
        "undeclared columns hold values: ward",
    ),
    "junk.csv": (b"\x00\x01junk\n" * 100, "NUL bytes"),
    "not UTF-8.csv": (b"\xff\x01junk\n" * 100, "not UTF-8"),
    "one line.csv": (PLAIN.replace(b"\n", b" ") * 20, "no line end in the first 64 KiB"),
    "CR alone.csv": (PLAIN.replace(b"\n", b"\r"), "lines end with CR alone"),
    "UTF-16.csv": (PLAIN.decode().encode("utf-16"), "UTF-16 text"),
    "a workbook.csv": (b"PK\x03\x04" + bytes(100), "a zip archive or a workbook"),
    "cut.gz": (gzip.compress(PLAIN)[:-400], "cut short"),
    "cut at its end.gz": (gzip.compress(PLAIN)[:-3], "cut short"),
    "damaged.gz": (gzip.compress(PLAIN)[:200] + b"XXXX" + gzip.compress(PLAIN)[204:], "damaged"),
    "3 GB without a line end.gz": (THREE_GB, "no line end"),
    "3 GB in the second line.gz": (gzip.compress(PLAIN.partition(b"\n")[0] + b"\n") + THREE_GB, "unpacks to more than"),
    "cut.zst": (zstd(PLAIN)[:-50], "cut short"),
    "cut.parquet": (parquet(texts())[:-30], "damaged or cut short"),
    "numbers for codes.parquet": (
        parquet(texts() | {"ec_attendance_category": [1] * len(ROWS)}),
        "neither text nor of their own type: ec_attendance_category",
    ),
}


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    made = Store(tmp_path / "store").settings
    settings.prepare(made)
    return made


def received(store: Settings, folder: Path, files: dict[str, bytes], feed: str = FEED) -> dict[str, Arrival]:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {one.file: one for one in intake.receive(store, catalogue.feeds()[feed], [str(folder)])}


def rows_of(store: Settings, sha256: str | None, feed: str = FEED) -> list[tuple[Any, ...]]:
    with warehouse.connect(store) as connection:
        file = warehouse.accepted_file(store.accepted / feed / f"{sha256}.parquet")
        return sorted(connection.execute(f"SELECT * EXCLUDE (batch) FROM {file}").fetchall(), key=repr)


def test_every_form_is_read_alike(store: Settings, tmp_path: Path) -> None:
    arrivals = received(store, tmp_path / "forms", FORMS)
    plain = rows_of(store, arrivals["plain.csv"].sha256)
    assert len(plain) == len(ROWS)
    for name, arrival in arrivals.items():
        assert (arrival.verdict, arrival.rejected, arrival.reasons) == ("accepted", {}, []), name
        assert rows_of(store, arrival.sha256) == plain, name
        assert b"".join(Landing(store).original(_held(store, arrival))) == FORMS[name]


def test_every_refusal_is_one_clear_line(store: Settings, tmp_path: Path) -> None:
    arrivals = received(store, tmp_path / "refused", {name: content for name, (content, _) in REFUSED.items()})
    for name, (_, says) in REFUSED.items():
        arrival = arrivals[name]
        assert arrival.verdict == "quarantined" and len(arrival.reasons) == 1, (name, arrival)
        assert says in arrival.reasons[0], (name, arrival.reasons)
        assert not any(value in arrival.reasons[0] for value in (OTHER_NUMBER, "ZA0", "ZZ99", "Fictional", "2020-"))
    assert not list((store.accepted / FEED).glob("*"))


BROKEN: dict[str, list[dict[str, str]]] = {
    "value_not_of_type": [
        changed(person_birth_date="2020-02-30"),
        changed(arrival_date="06/04/2020"),
        changed(arrival_date="2020-4-6"),
        changed(arrival_time="24:00"),
        changed(arrival_time=""),
        changed(record_version="0"),
        changed(record_version="1.0"),
        changed(person_family_name="x" * 36),
        changed(ec_department_type="", arrival_time="noon"),
    ],
    "required_value_missing": [
        changed(arrival_date="", arrival_time=""),
        changed(site_code=" "),
        changed(update_type=""),
    ],
    "code_not_permitted": [
        changed(ec_department_type="1"),
        changed(provider_code="za0"),
        changed(site_code="ZA0"),
        changed(update_type="2"),
    ],
    "nhs_number_invalid": [
        changed(nhs_number=number)
        for number in ("9990000019", "999000001", "99900000l8", "9990000e03", "999 000 00180")
    ],
    "nhs_number_not_test": [changed(nhs_number="9434765919")],
    "sentinel_date": [changed(arrival_date="1900-01-01", ec_departure_date="1900-01-01")],
    "local_time_invalid": [
        changed(arrival_date="2020-03-29", arrival_time="01:30"),
        changed(arrival_time="09:00+00:00"),
    ],
    "date_in_future": [changed(submission_date="2020-04-05"), changed(submission_date="2199-01-01")],
    "age_implausible": [changed(person_birth_date="2020-04-07"), changed(person_birth_date="1898-04-05")],
    "end_before_start": [changed(ec_departure_time="08:59")],
    "interval_implausible": [changed(ec_departure_date="2020-04-13", ec_departure_time="09:01")],
    "conflicting_version": [
        changed(emergency_care_attendance_identifier="C1"),
        changed(emergency_care_attendance_identifier="C1", ec_departure_time="12:11"),
    ],
}
KEPT = [
    changed(person_birth_date="1900-01-01"),
    changed(nhs_number=f" {OTHER_NUMBER[:3]} {OTHER_NUMBER[3:6]} {OTHER_NUMBER[6:]} "),
    changed(nhs_number=""),
    changed(ec_departure_date="2020-04-13", ec_departure_time="09:00"),
    changed(ec_departure_time="09:00"),
    changed(ec_initial_assessment_time="00:01"),
    # An equal copy, and one that differs only in what is not kept, are the same version.
    changed(emergency_care_attendance_identifier="C2"),
    changed(emergency_care_attendance_identifier="C2", person_given_name="Zed", postcode_of_usual_address="ZZ993BB"),
    # A deletion needs its version and its key.
    {name: "" for name in NAMES} | changed(update_type="1") | {name: "?" for name in NAMES[6:]},
]


def test_each_reason_is_counted_and_its_rows_are_gone(store: Settings, tmp_path: Path) -> None:
    whole = [row for rows in BROKEN.values() for row in rows] + KEPT
    many = [changed(nhs_number="") for _ in range(800)]
    broken = written(whole + many) + b"a line\n" + b'"' + written(many[:1]).split(b"\n")[1].replace(b"X", b"Y") + b"\n"
    arrival = received(store, tmp_path / "broken", {"broken.csv": broken})["broken.csv"]
    assert arrival.verdict == "accepted", arrival.reasons
    assert arrival.rejected == {reason: len(rows) for reason, rows in BROKEN.items()} | {"row_unparsable": 2}
    assert arrival.rows == len(KEPT) - 1 + len(many)
    assert any("times_within_validity" in line for line in arrival.warnings)
    told = records.rejected_rows(_held(store, arrival))
    assert {row["reason_code"]: row["rejected_rows"] for row in told} == arrival.rejected
    everything = b"".join(path.read_bytes() for path in store.home.rglob("*") if path.is_file())
    for mark in (OTHER_NUMBER, "Fictional", "ZZ99 3AA", "9434765919", ROWS[0]["nhs_number"]):
        assert mark.encode() not in everything


def test_only_both_limits_together_quarantine(store: Settings, tmp_path: Path) -> None:
    def file(bad: int, good: int) -> bytes:
        return written([changed(ec_department_type="9") for _ in range(bad)] + [changed() for _ in range(good)])

    files = {"20 of 40.csv": file(20, 20), "21 of 420.csv": file(21, 399), "21 of 419.csv": file(21, 398)}
    arrivals = received(store, tmp_path / "limits", files)
    assert {name: one.verdict for name, one in arrivals.items()} == {
        "20 of 40.csv": "accepted",
        "21 of 420.csv": "accepted",
        "21 of 419.csv": "quarantined",
    }
    assert "few_rows_rejected: 21 of 419" in arrivals["21 of 419.csv"].reasons[0]
    assert arrivals["21 of 419.csv"].rejected == {"code_not_permitted": 21}


def test_a_deletion_keeps_its_key_alone(store: Settings, tmp_path: Path) -> None:
    deletion = {**ROWS[3], "record_version": "2", "update_type": "1"}
    arrival = received(store, tmp_path / "deletion", {"deletion.csv": written([ROWS[3], deletion])})["deletion.csv"]
    first, second = rows_of(store, arrival.sha256)
    names = list(catalogue.feeds()[FEED].records.accepted_schema())[1:]  # type: ignore[union-attr]
    told = [dict(zip(names, row, strict=True)) for row in (first, second)]
    original, deleted = sorted(told, key=lambda row: row["record_version"])
    assert original["record_key"] == deleted["record_key"] and deleted["is_deletion"] and not original["is_deletion"]
    kept = {name for name, value in deleted.items() if value is not None}
    assert kept == {"record_key", "record_version", "submission_date", "is_deletion", "provider_code"}


def test_a_line_that_only_the_database_finds_is_counted(store: Settings, tmp_path: Path) -> None:
    """Two lines whose commas make up for each other: what the database says of them is not told."""
    lines = PLAIN.rstrip(b"\n").split(b"\n")
    lines[5], lines[9] = lines[5] + b",SECRET", lines[9].rpartition(b",")[0]
    arrival = received(store, tmp_path / "lines", {"lines.csv": b"\n".join(lines)})["lines.csv"]
    assert (arrival.verdict, arrival.rejected) == ("accepted", {"row_unparsable": 2})


@pytest.mark.parametrize("memory", ["300MB", "1GB"])
def test_more_threads_read_the_same(
    store: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    """A memory of 300 MB leaves one thread; lines broken in every way stand all over a file of several buffers."""
    monkeypatch.setenv("DATASTORE_MEMORY", memory)
    body = PLAIN.partition(b"\n")[2]
    parts = [PLAIN]
    for number in range(1200):
        parts.append(body.replace(b",A1", b",B%d" % number))
        if number % 40 == 0:
            parts += [b'x,"unclosed,\n', b"short,line\n", b"\xff" + body[:200].partition(b"\n")[0] + b"\n", b'a"b,c\n']
    arrival = received(store, tmp_path / "many", {"many.csv": b"".join(parts)})["many.csv"]
    assert arrival.verdict == "accepted", arrival.reasons
    assert arrival.rejected == {"row_unparsable": 4 * 30}
    assert arrival.rows == 40 + 1200 * 40


def test_every_feed_has_a_sample_that_is_accepted_whole(store: Settings, tmp_path: Path) -> None:
    assert SAMPLES.keys() == {name for name, feed in catalogue.feeds().items() if feed.records}
    for feed, document in SAMPLES.items():
        [arrival] = received(store, tmp_path / feed, {document.name: document.render()}, feed).values()
        assert (arrival.verdict, arrival.rows, arrival.rejected, arrival.warnings) == ("accepted", 40, {}, []), feed


def test_the_gate_is_asked_what_it_was_not_asked_before(
    store: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that are alike cost no second verdict; what breaks a rule is judged each time."""
    asked = []

    def validate(rule: Rule, frame: Any) -> Any:
        asked.append(rule.id)
        return judge(rule, frame)

    judge = expectations._validate
    monkeypatch.setattr(expectations, "_validate", validate)
    lines = PLAIN.splitlines(keepends=True)
    assert received(store, tmp_path / "first", {"first.csv": PLAIN})["first.csv"].verdict == "accepted"
    assert asked == [rule.id for rule in catalogue.suite(FEED).rules]
    for kept in (20, 21):
        asked.clear()
        nameless = written([{**row, "nhs_number": ""} for row in ROWS[:kept]], NAMES)
        files = {"alike.csv": b"".join(lines[:kept]), "nameless.csv": nameless}
        arrivals = received(store, tmp_path / str(kept), files)
        assert {arrival.verdict for arrival in arrivals.values()} == {"accepted"}
        assert asked == [f"{FEED}.nhs_number_known"]
        assert [len(arrivals[name].warnings) for name in files] == [0, 1]


def test_rules_that_changed_judge_what_is_held_again(
    store: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [arrival] = received(store, tmp_path / "held", {"plain.csv": PLAIN}).values()
    feed = catalogue.feeds()[FEED]
    before = intake.judge_accepted(store, feed)[str(arrival.sha256)]
    rules = tmp_path / "rules"
    (rules / "landing").mkdir(parents=True)
    text = (settings.EXPECTATIONS / "landing" / f"{FEED}.yaml").read_text()
    (rules / "landing" / f"{FEED}.yaml").write_text(text.replace("max_value: 0.1", "max_value: -1"))
    monkeypatch.setattr(settings, "EXPECTATIONS", rules)
    after = intake.judge_accepted(store, feed)[str(arrival.sha256)]
    assert all(check["passed"] for check in before["checks"])
    assert {check["check_id"] for check in after["checks"] if not check["passed"]} == {
        f"{FEED}.nhs_number_known",
        f"{FEED}.departures_known",
    }


def test_a_stopped_receiver_leaves_a_batch_that_is_settled_later(
    store: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*ignored: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(warehouse, "place", stopped)
        with pytest.raises(KeyboardInterrupt):
            received(store, tmp_path / "stopped", {"plain.csv": PLAIN})
    feed = catalogue.feeds()[FEED]
    [held] = Landing(store).batches(FEED)
    assert held.verdict == "pending"
    [settled] = intake.settle_pending(store, feed)
    assert settled.verdict == "accepted" and len(rows_of(store, settled.sha256)) == len(ROWS)
    assert {path.name for path in (store.accepted / FEED).iterdir()} == {f"{held.sha256}.parquet", intake.NO_ROWS}


def _held(store: Settings, arrival: Arrival) -> Any:
    found = Landing(store).find(str(arrival.sha256))
    assert found is not None
    return found
