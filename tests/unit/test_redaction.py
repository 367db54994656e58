"""The rows of one person are taken out of a file, in every form that it may have, and nothing else is touched."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from typing import Any, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.adapters import catalogue
from pipelines.adapters.keys import Key
from pipelines.adapters.persons import redaction
from pipelines.adapters.persons.pseudonyms import keyed
from pipelines.adapters.persons.redaction import Cut, Person, Uncut
from pipelines.adapters.persons.sealed_source import Original
from pipelines.adapters.sealing import Unsealed
from pipelines.domain.persons.numbers import nhs_number
from tests.support.canaries import FORMS

NUMBER, SPACED, OTHER = "9990817464", "999 081 7464", "9990000093"
KEY = Key("pseudonym.1", bytes(range(32)))
TESTS = catalogue.feed("covid_tests")
COLUMNS = [column.name for column in TESTS.records.columns] if TESTS.records else []


class Bytes:
    """Bytes as if they had been unsealed, in frames of any size."""

    def __init__(self, content: bytes, frame: int = 1 << 20) -> None:
        self.content, self.frame = content, frame

    def frames(self) -> Iterator[bytes]:
        """The bytes from the start."""
        for start in range(0, len(self.content), self.frame):
            yield self.content[start : start + self.frame]

    def opened(self) -> Unsealed:
        """The bytes as a file."""
        return cast(Unsealed, io.BytesIO(self.content))


def row(number: str, **cells: str) -> dict[str, str]:
    """A row of the tests feed."""
    told = {
        "submission_date": "2020-05-01", "record_version": "1", "update_type": "9", "reporting_lab_code": "LAB1",
        "specimen_number": "S1", "nhs_number": number, "specimen_date": "2020-04-30", "test_result": "negative",
    }  # fmt: skip
    return {**dict.fromkeys(COLUMNS, ""), **told, **cells}


def text(*rows: dict[str, str] | str, end: str = "\n") -> bytes:
    """A file of rows, and of lines as they are."""
    target = io.StringIO(newline="")
    writer = csv.DictWriter(target, COLUMNS, lineterminator=end)
    writer.writeheader()
    for one in rows:
        target.write(one) if isinstance(one, str) else writer.writerow(one)
    return target.getvalue().encode()


def cut(content: bytes, *, frame: int = 1 << 20, feed: Any = TESTS, person: Person | None = None) -> tuple[bytes, int]:
    """What is left of a file, and how many rows went."""
    made = Cut(feed, cast(Original, Bytes(content, frame)), person or Person(NUMBER, KEY))
    return b"".join(made), made.rows


HERS = [
    row(NUMBER),
    row(SPACED, specimen_number="S2"),
    row(OTHER, specimen_number="S3", local_patient_identifier=NUMBER),
    row("", specimen_number="S4", person_family_name=f'the "old\n{SPACED}, number'),
    row(NUMBER, specimen_number="S5", person_family_name="a\r\nb"),
    row("9990817468", specimen_number="S6", postcode_of_usual_address=f"x{NUMBER}y"),
    row("999-081-7464", specimen_number="S7", update_type="7"),
    row("999\u00a0081\u00a07464", specimen_number="S8"),
]
OTHERS = [
    row(OTHER, specimen_number="T1"),
    row("", specimen_number="T2", person_family_name='quo"ted, and\nbroken'),
    row("9990817465", specimen_number="T3"),
    row(OTHER, specimen_number="T4", person_given_name="99908 17 46", local_patient_identifier="4"),
]
MIXED = [HERS[0], OTHERS[0], HERS[1], HERS[2], OTHERS[1], HERS[3], HERS[4], OTHERS[2], HERS[5], OTHERS[3], *HERS[6:]]


@pytest.mark.parametrize("frame", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_text_keeps_the_bytes_of_the_others(frame: int, end: str, bom: bytes) -> None:
    """Quotes, line ends, byte order mark: as they were, however the bytes are cut into pieces."""
    assert cut(bom + text(*MIXED, end=end), frame=frame) == (bom + text(*OTHERS, end=end), len(HERS))


@pytest.mark.parametrize("form", FORMS)
def test_a_file_keeps_its_form(form: str) -> None:
    """Compressed as before, Parquet as before; what is in it is that of the others."""
    content, rows = cut(FORMS[form](text(*MIXED)), frame=100)
    assert rows == len(HERS)
    expected = text(*OTHERS)
    if form == ".parquet":
        left, wanted = (pq.read_table(io.BytesIO(one)).to_pylist() for one in (content, FORMS[form](expected)))
        assert left == wanted
        assert NUMBER.encode() not in content and b"081 7464" not in content
    else:
        unpack: dict[str, Callable[[bytes], bytes]] = {
            ".csv": bytes,
            ".csv.gz": gzip.decompress,
            ".csv.zst": lambda packed: pa.input_stream(io.BytesIO(packed), compression="zstd").read(),
        }
        assert unpack[form](content) == expected


@pytest.mark.parametrize("last", [HERS[0], OTHERS[0]])
def test_a_last_line_without_an_end(last: dict[str, str]) -> None:
    """It is a row like any other, and the one before keeps its end."""
    whole = text(OTHERS[1], last)[:-1]
    assert cut(whole) == ((text(OTHERS[1]), 1) if last in HERS else (whole, 0))


def test_lines_that_are_no_records() -> None:
    """A stray quote takes its own line; lines that only quotes hold together go together; a cut line goes alone."""
    stray = 'broken,"and open ' + NUMBER + "\n"
    wreck = f'one,"two\nKanarienrest {NUMBER}\nthree",four\n'
    short = f"2020-05-01,1,{NUMBER}\n"
    assert cut(text(stray, OTHERS[0])) == (text(OTHERS[0]), 1)
    assert cut(text(OTHERS[0], wreck, OTHERS[1], short)) == (text(OTHERS[0], OTHERS[1]), 2)
    assert cut(text('x,"open\n', OTHERS[0], HERS[0], 'y"\n', OTHERS[1]))[0] == text(
        'x,"open\n', OTHERS[0], 'y"\n', OTHERS[1]
    )


def test_a_record_goes_with_its_versions() -> None:
    """A deletion without a number goes with the record; a version that names another person stays."""
    deletion = row("", update_type="1", record_version="2", specimen_date="", test_result="")
    mistyped = row("9990817468", record_version="3")
    anothers = row(OTHER, record_version="4")
    person = Person(NUMBER, KEY)
    content = text(row(NUMBER), deletion, mistyped, anothers, OTHERS[1])
    assert Cut(TESTS, cast(Original, Bytes(content)), person, learn=True).count() == 1
    assert cut(content, person=person) == (text(anothers, OTHERS[1]), 3)
    left, rows = cut(FORMS[".parquet"](content), person=person)
    assert rows == 3
    assert [one["specimen_number"] for one in pq.read_table(io.BytesIO(left)).to_pylist()] == ["S1", "T2"]


def test_critical_care_goes_with_its_spell() -> None:
    """Linked by the spell alone, and a deletion of such a period by its own key."""
    spells, periods = catalogue.feed("apc_spells"), catalogue.feed("critical_care_periods")
    person = Person(NUMBER, KEY)
    stay = (
        "submission_date,record_version,update_type,provider_code,hospital_provider_spell_number,nhs_number\n"
        f"2020-05-01,1,9,RXX, SP1 ,{NUMBER}\n2020-05-01,1,9,RXX,SP2,{OTHER}\n"
    )
    assert Cut(spells, cast(Original, Bytes(stay.encode())), person, learn=True).count() == 1
    head = "record_version,update_type,provider_code,critical_care_local_identifier,hospital_provider_spell_number\n"
    kept = "1,9,RXX,C2,SP2\n1,9,RYY,C3,SP1\n"
    unit = f"{head}1,9,RXX,C1,SP1\n{kept}2,1,RXX,C1,\n".encode()
    Cut(periods, cast(Original, Bytes(unit)), person, learn=True).count()
    assert cut(unit, feed=periods, person=person) == ((head + kept).encode(), 2)


def test_parquet_keeps_no_value_that_no_row_has() -> None:
    """Neither in a dictionary, a statistic nor the file's own notes; types stay what they were."""
    table = pa.table(
        {
            "nhs_number": pa.array([NUMBER, OTHER, NUMBER]).dictionary_encode(),
            "n": pa.array([int(NUMBER), 1, None], pa.int64()),
            "day": pa.array([None, 18_000, 18_001], pa.date32()),
            "many": pa.array([["a"], [NUMBER], []]),
        }
    ).replace_schema_metadata({"note": f"of {NUMBER}", "kept": "yes"})
    target = io.BytesIO()
    pq.write_table(table, target, compression="zstd")
    content, rows = cut(target.getvalue())
    assert rows == 3
    left = pq.ParquetFile(io.BytesIO(content))
    assert left.metadata.num_rows == 0
    assert left.schema_arrow.field("day").type == pa.date32()
    assert left.schema_arrow.metadata == {b"kept": b"yes"}
    assert NUMBER.encode() not in content


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04zip", b"\xff\xfe9\x009\x00", b"PAR1damaged", gzip.compress(text(*MIXED))[:-20], b""],
    ids=["zip archive", "UTF-16", "damaged Parquet", "gzip cut short", "empty"],
)
def test_what_is_no_text_cannot_be_cut(content: bytes) -> None:
    """It is told, so that the whole of it goes."""
    with pytest.raises(Uncut):
        cut(content)


def test_a_line_without_end_cannot_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is not filled with what is no text of lines."""
    monkeypatch.setattr(redaction, "LONGEST_UNREADABLE", 1000)
    with pytest.raises(Uncut):
        cut(b"a\n" + b"x" * 5000, frame=100)


def test_keys_are_those_of_the_reader() -> None:
    """The same keyed hash as of whole columns."""
    told = "covid_tests\x1fLAB1\x1fS1"
    [whole] = pl.DataFrame({"t": [told]}).select(keyed("t", KEY)).to_series()
    assert Person(NUMBER, KEY).keyed("covid_tests", "LAB1", "S1") == whole


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (NUMBER, NUMBER), (SPACED, NUMBER), (" 999-081-7464\n", NUMBER), (OTHER, OTHER), ("9990817465", None),
        ("999081746", None), ("99908174640", None), ("٩٩٩٠٨١٧٤٦٤", None), ("", None), ("99908x7464", None),
    ],
)  # fmt: skip
def test_an_nhs_number(written: str, told: str | None) -> None:
    """Ten digits, the last of which is right."""
    assert nhs_number(written) == told


def test_another_layout_of_the_same_records() -> None:
    """Of an extract of episodes every part of the person's spell goes, with the number or without; others stay."""
    feed = catalogue.feed("apc_spells")
    names = "PSEUDO_HESID,NEWNHSNO,EPIKEY,EPIORDER,SPELEND,ADMIDATE,DISDATE,ADMIMETH,CLASSPAT,PROCODE3,PROVSPNO"
    assert feed.records and any(layout.is_of(names.split(",")) for layout in feed.records.layouts)
    theirs = [f"P1,{NUMBER},1,1,N,2020-06-01,,21,1,ZA0,S1\n", "P1,,2,2,Y,2020-06-01,,21,1,ZA0,S1\n"]
    others = [f"P2,{OTHER},3,1,N,2020-06-01,,21,1,ZA0,S2\n", "P2,,4,2,Y,2020-06-01,,21,1,ZA0,S2\n"]
    content = "".join([f"{names}\n", theirs[0], others[0], theirs[1], others[1]]).encode()
    person = Person(NUMBER, KEY)
    assert Cut(feed, cast(Original, Bytes(content)), person, learn=True).count() == 1
    left = "".join([f"{names}\n", *others]).encode()
    assert cut(content, feed=feed, person=person) == (left, 2)
    lower = content.replace(names.encode(), names.lower().encode())
    assert cut(lower, feed=feed, person=person)[1] == 2
