"""What holds for every text: the lines that DuckDB is given are the records of it, and the rest is counted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.adapters.persons.lines import LINE_BREAK_WITHIN, Lines

FIELDS = 3
PIECES = [b"a", b"bc", b",", b",", b",", b'"', b'""', b"\n", b"\n", b"\r\n", b"\r", b" ", b"\0", b"\xc3\xa9", b"\xff"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.integers(1, 20), st.booleans())
@example(b'a,"b\nc,d,e\nf,"g",h\n', 7, False)
@example(b'"a\nb",c,d', 3, False)
@example(b'a,b,"c""\n,d,e\n', 2, False)
@example(b"a,b\na,b,c,d\n", 100, True)
def test_lines_are_the_records(text: bytes, chunk: int, exact: bool) -> None:
    lines = Lines((text[place : place + chunk] for place in range(0, len(text), chunk)), FIELDS, exact)
    found = [row for row in csv.reader(io.StringIO(b"".join(lines).decode("utf-8"), newline=""), strict=True) if row]
    expected, unparsable = read_slowly(text)
    if exact or len(found) == len(expected):
        assert (found, lines.unparsable) == (expected, unparsable)
    else:  # counts of commas agreed by chance: the database finds a line with another number of fields, and says so
        assert any(len(row) != FIELDS for row in found)


def read_slowly(text: bytes) -> tuple[list[list[str]], int]:
    """The records of a text as RFC 4180 has them, one character after the other, and how many lines are none."""
    if text and not text.endswith(b"\n"):
        text += b"\n"
    text = text.replace(b"\r\n", b"\n")
    records, unparsable, place = [], 0, 0
    while place < len(text):
        line_end = text.index(b"\n", place)
        if line_end == place:
            place += 1
            continue
        ends = list(_record_ends(text, place))
        if ends and _is_record(text[place : ends[0]]):
            records.append(_fields(text[place : ends[0]]))
            place = ends[0] + 1
        else:
            unparsable += 1
            place = line_end + 1
    return records, unparsable


def _record_ends(text: bytes, place: int) -> Iterator[int]:
    """The first line end outside quotes, if the quotes before it stand where they may."""
    state = "field begins"
    for at in range(place, len(text)):
        character = text[at : at + 1]
        if state == "in quotes":
            state = "quote in quotes" if character == b'"' else state
        elif (character == b'"' and state == "field begins") or (character == b'"' and state == "quote in quotes"):
            state = "in quotes"
        elif character == b",":
            state = "field begins"
        elif character == b"\n":
            yield at
            return
        elif state == "quote in quotes" or character == b'"':
            return
        else:
            state = "in a field"


def _is_record(record: bytes) -> bool:
    if b"\0" in record or b"\r" in record:
        return False
    try:
        words = record.decode("utf-8")
    except UnicodeDecodeError:
        return False
    [fields] = csv.reader(io.StringIO(words, newline=""), strict=True)
    return len(fields) == FIELDS


def _fields(record: bytes) -> list[str]:
    [fields] = csv.reader(io.StringIO(record.decode("utf-8"), newline=""), strict=True)
    return [field.replace("\n", LINE_BREAK_WITHIN.decode()).strip(" ") for field in fields]
