"""Taking the rows of one person out of an original, the others' bytes left as they are.

A row is the person's when it holds their NHS number, in whatever column, rejected or not. So is a row without a number
of its own that is another version of such a record (a deletion needs no more than its key), and a critical care period
of one of their spells. What is neither text nor Parquet, which only a refused file can be, goes whole: nobody can tell
whose it is.

Records of text end where the reader says that they do (`lines.py`): a stray quote takes one row, not the rest.
"""

from __future__ import annotations

import csv
import functools
import hmac
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.adapters.keys import Key
from pipelines.adapters.persons import opening
from pipelines.adapters.persons.lines import LONGEST_LINE, MOST_LINES
from pipelines.adapters.persons.pseudonyms import BYTES
from pipelines.adapters.persons.reading import PERSON, SEPARATOR_TEXT, SPELLS
from pipelines.adapters.persons.sealed_source import Original
from pipelines.domain.feeds import Feed
from pipelines.domain.persons.numbers import nhs_number
from pipelines.domain.refusals import Refused

NUMBER = "nhs_number"
SPELL_NUMBER = "hospital_provider_spell_number"
LONGEST_UNREADABLE = 64 << 20
ROWS_AT_ONCE = 65_536

WITHIN = rb'"(?:[^"\0\r]++|\r\n|"")*+"|[^",\n\0\r]*+'
RECORD = rb"(?:%b)(?:,(?:%b)){%d}(?=\r?\n|\Z)"
OF_ANY_WIDTH = re.compile(rb"(?:%b)(?:,(?:%b))*+(?=\r?\n|\Z)" % (WITHIN, WITHIN))

# The cells of a row by the header's names.
Row = dict[str, str]


def written(number: str) -> re.Pattern[bytes]:
    """A number as it may be written: ten digits with spaces, hyphens or the like between them."""
    return re.compile(rb"(?:[ \t\0-]|\xc2\xa0)*+".join(digit.encode() for digit in number))


def is_linked(feed: Feed) -> bool:
    """Whether the feed's records are a person's by the spell that they are of."""
    return feed.records is not None and SPELL_NUMBER in feed.records.names and SPELL_NUMBER not in feed.records.key


class Uncut(Exception):
    """The file cannot be taken apart: it is no text and no Parquet, damaged, or without any line."""


@dataclass
class Person:
    """Whose rows are sought: the number, and keys of the records that are the person's.

    `marks` are those records' own numbers as sent: where none of them stands nobody has to look for such a record.
    """

    number: str = field(repr=False)
    key: Key
    records: set[str] = field(default_factory=set, repr=False)
    marks: set[str] = field(default_factory=set, repr=False)

    @functools.cached_property
    def written(self) -> re.Pattern[bytes]:
        """The number as it may be written."""
        return written(self.number)

    @property
    def pseudonym(self) -> str:
        """What the person is called in everything that is made of originals."""
        return self.keyed(PERSON, self.number)

    def keyed(self, *parts: str) -> str:
        """The keyed hash of a text, as `pseudonyms.keyed` makes it of a column."""
        text = SEPARATOR_TEXT.join(parts).encode()
        return hmac.digest(self.key.text.encode(), text, "sha256")[:BYTES].hex()


class Cut:
    """One pass over an original. Iterating gives the bytes without the person's rows, in the form that it had.

    Once all is read `rows` is how many were taken out. With `learn` the records that they are of are added to the
    person's; with `packed` false the bytes are not compressed again, for who only wants to know. Raises `Uncut`.
    """

    def __init__(
        self, feed: Feed, original: Original, person: Person, learn: bool = False, packed: bool = True
    ) -> None:
        if feed.records is None:
            raise ValueError(f"feed {feed.feed} is not of persons")
        self.feed, self.records, self.original, self.person = feed, feed.records, original, person
        self.learn, self.packed = learn, packed
        self.rows = 0
        # To learn of records only what links to others has to be looked at.
        self._marks = sorted(person.marks) if not learn or is_linked(feed) else []
        forms = {form.encode() for mark in self._marks for form in (mark, mark.replace('"', '""'))}
        self._sought = re.compile(b"|".join([person.written.pattern, *map(re.escape, sorted(forms))]))

    def __iter__(self) -> Iterator[bytes]:
        self.rows = 0
        with self.original.opened() as file:
            first = file.read(opening.CHUNK)
        try:
            yield from self._parquet() if opening.is_parquet(first) else self._delimited(first)
        except (Refused, pa.ArrowException):
            raise Uncut from None

    def count(self) -> int:
        """How many rows are the person's."""
        for _ in self:
            pass
        return self.rows

    # Text

    def _delimited(self, first: bytes) -> Iterator[bytes]:
        frames = self.original.frames()
        texts = self._records(opening.text(frames, next(frames, b"")))
        if self.packed and first.startswith(opening.GZIP):
            yield from _gzip(texts)
        elif self.packed and first.startswith(opening.ZSTD):
            yield from _zstd(texts)
        else:
            yield from texts

    def _records(self, texts: Iterator[bytes]) -> Iterator[bytes]:
        """The text without the person's records, block by block."""
        lines, left = _Lines(), b""
        for text in texts:
            block = left + text
            end = block.rfind(b"\n") + 1
            done, left = self._block(block[:end], lines, last=False)
            left += block[end:]
            if len(left) > LONGEST_UNREADABLE:
                raise Uncut
            if done:
                yield done
        yield self._block(left, lines, last=True)[0]

    def _block(self, block: bytes, lines: _Lines, last: bool) -> tuple[bytes, bytes]:
        """What stays of a block of whole lines (the last one may lack its end), and what has to wait for more text."""
        if not block:
            return b"", b""
        position, kept = 0, []
        if lines.names is None:
            position = _line_end(block, 0)
            lines.begin(block[:position])
            if self.person.written.search(block, 0, position):
                self.rows += 1
            else:
                kept.append(block[:position])
        left = b""
        for start, end in self._looked_at(block, position, lines, last):
            if end < 0:
                block, left = block[:start], block[start:]
            elif self._is_theirs(block[start:end], lines):
                kept.append(block[position:start])
                position = end
                self.rows += 1
        kept.append(block[position:])
        return b"".join(kept), left

    def _looked_at(self, block: bytes, position: int, lines: _Lines, last: bool) -> Iterator[tuple[int, int]]:
        """Where the records begin and end in which something that is sought stands.

        The end is -1, and nothing follows, for one that may go on behind the block.
        """
        hits = [found.start() for found in self._sought.finditer(block, position)]
        if b'"' not in block:
            for hit in hits:
                if hit >= position:
                    start, position = block.rfind(b"\n", 0, hit) + 1, _line_end(block, hit)
                    yield start, position
            return
        hits.reverse()
        while position < len(block):
            end = lines.end(block, position, last)
            if end < 0:
                yield position, -1
                return
            if hits and hits[-1] < end:
                yield position, end
            while hits and hits[-1] < end:
                hits.pop()
            position = end

    def _is_theirs(self, record: bytes, lines: _Lines) -> bool:
        if self.person.written.search(record):
            if self.learn:
                self._remember(lines.row(record))
            return True
        return self._is_linked(lines.row(record))

    # Parquet

    def _parquet(self) -> Iterator[bytes]:
        with self.original.opened() as source:
            try:
                file = pq.ParquetFile(pa.PythonFile(source, mode="r"))
                schema = _plain(file.schema_arrow, self.person.written)
                codec = file.metadata.row_group(0).column(0).compression if file.metadata.num_row_groups else "SNAPPY"
                sink = _Sink()
                with pq.ParquetWriter(sink, schema, compression=codec) as writer:
                    for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
                        table = pa.Table.from_batches([batch]).cast(schema)
                        theirs = self._theirs(table)
                        self.rows += sum(theirs)
                        writer.write_table(
                            table.filter(pa.array([not one for one in theirs])) if any(theirs) else table
                        )
                        yield sink.taken()
                yield sink.taken()
            except (OSError, IndexError):
                raise Uncut from None

    def _theirs(self, table: pa.Table) -> list[bool]:
        """Which rows of a table are the person's."""
        texts = [_texts(column) for column in table.columns]
        marks = pa.array(self._marks, pa.string())
        theirs = [False] * table.num_rows
        hits: set[int] = set()
        for column in texts:
            numbered = pc.match_substring_regex(column, "[ \\t\\x00\u00a0-]*".join(self.person.number))
            marked = pc.is_in(pc.utf8_trim(column, " "), value_set=marks)
            hits.update(pc.indices_nonzero(pc.or_(pc.fill_null(numbered, False), marked)).to_pylist())
        for place in hits:
            cells = [column[place].as_py() or "" for column in texts]
            row = {name: cell.strip(" ") for name, cell in zip(table.column_names, cells, strict=True)}
            # The regular expressions differ in their dialect: what is theirs is asked of the one of texts.
            if any(self.person.written.search(cell.encode()) for cell in cells):
                theirs[place] = True
                if self.learn:
                    self._remember(row)
            else:
                theirs[place] = self._is_linked(row)
        return theirs

    # Whose

    def _remember(self, row: Row) -> None:
        """The record is the person's."""
        self.person.records.update(self._keys(row)[:1])
        own = self.records.own_number
        for layout in self.records.layouts:
            if not row.get(own) and layout.is_of(row) and own in layout.columns:
                upper = {name.upper(): cell for name, cell in row.items()}
                self.person.marks.update(upper[name] for name in layout.columns[own].of if upper.get(name))
        if row.get(own):
            self.person.marks.add(row[own])

    def _is_linked(self, row: Row) -> bool:
        """Whether a row that does not hold the number is of a record of the person's, or of a spell of theirs."""
        record, *spell = self._keys(row) or [""]
        if set(spell) & self.person.records:
            if self.learn:
                self._remember(row)
            return True
        # A number in another layout's own column may be written in small letters.
        told = next((row[name] for name in (NUMBER, "NEWNHSNO", "newnhsno") if row.get(name)), "")
        return record in self.person.records and nhs_number(told) is None

    def _keys(self, row: Row) -> list[str]:
        """The key of the record that a row is of and, of a critical care period, that of its spell; none of a wreck."""
        keyed, names = self.person.keyed, self.records.key
        if all(row.get(name) for name in names):
            if self.records.own_number == NUMBER:
                return [keyed(PERSON, "".join(row[NUMBER].split()))]
            found = [keyed(self.feed.feed, *(row[name] for name in names))]
            if is_linked(self.feed) and row.get(SPELL_NUMBER):
                found.append(keyed(SPELLS, row[names[0]], row[SPELL_NUMBER]))
            return found
        for layout in self.records.layouts:
            if layout.is_of(row):
                upper = {name.upper(): cell for name, cell in row.items()}
                groups = layout.parts.same if layout.parts else ()
                parts = [next((f"{name}={upper[name]}" for name in group if upper.get(name)), "") for group in groups]
                return [keyed(layout.name, *parts)] if parts and all(parts) else []
        return []


class _Lines:
    """Where the records of a text end, as `lines.Lines` tells them apart, and what their cells are."""

    names: list[str] | None = None

    def begin(self, header: bytes) -> None:
        """Take the header."""
        self.names = [name.strip(" ") for name in _cells(header.removeprefix(opening.BOM))]
        self._record = re.compile(RECORD % (WITHIN, WITHIN, len(self.names) - 1))

    def end(self, block: bytes, position: int, last: bool) -> int:
        """Where the record at a position ends, behind its line end; -1 when it may go on behind the block."""
        end = _line_end(block, position)
        if b'"' not in block[position:end]:
            return end
        found = self._at(block, position)
        if found is not None:
            return found
        rest = len(block) - position
        if not last and rest <= LONGEST_LINE and block.count(b"\n", position) < MOST_LINES:
            return -1
        return self._of_wreck(block, position, end)

    def row(self, record: bytes) -> Row:
        """The cells by name; of a wreck those that there are."""
        return dict(zip(self.names or (), (cell.strip(" ") for cell in _cells(record)), strict=False))

    def _at(self, block: bytes, position: int) -> int | None:
        found = self._record.match(block, position)
        if found is None or found.end() - position > LONGEST_LINE or found.group().count(b"\n") >= MOST_LINES:
            return None
        return _line_end(block, found.end())

    def _of_wreck(self, block: bytes, position: int, end: int) -> int:
        """A broken line ends with its line, unless quotes take lines along of which none is a record of its own."""
        found = OF_ANY_WIDTH.match(block, position)
        if found is None or found.group().count(b"\n") >= MOST_LINES:
            return end
        at = end
        while at <= found.end() and at < len(block):
            line = block[at : _line_end(block, at)]
            commas = len(self.names or ()) - 1
            if self._at(block, at) is not None if b'"' in line else line.count(b",") == commas:
                return end
            at += len(line)
        return at


def _line_end(block: bytes, position: int) -> int:
    """Behind the end of the line at a position; the last may have none."""
    return block.find(b"\n", position) + 1 or len(block)


def _cells(record: bytes) -> list[str]:
    text = record.decode("utf-8", errors="replace").rstrip("\r\n")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        return []


def _plain(schema: pa.Schema, written: re.Pattern[bytes]) -> pa.Schema:
    """The schema with dictionaries as what they stand for: one keeps values that no row has any more."""
    fields = [one.with_type(one.type.value_type) if pa.types.is_dictionary(one.type) else one for one in schema]
    told = schema.metadata or {}
    return pa.schema(fields, {name: text for name, text in told.items() if not written.search(name + b"\n" + text)})


def _texts(column: pa.ChunkedArray) -> pa.Array:
    """A column as text."""
    try:
        return pa.concat_arrays(pc.cast(column, pa.string()).chunks or [pa.array([], pa.string())])
    except pa.ArrowException:
        return pa.array([None if cell is None else str(cell) for cell in column.to_pylist()], pa.string())


class _Sink(io.RawIOBase):
    """What is written, to be taken piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        self._position += len(self._parts[-1])
        return len(self._parts[-1])

    def taken(self) -> bytes:
        """What was written since it was last asked for."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _gzip(texts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    for text in texts:
        yield packer.compress(text)
    yield packer.flush()


def _zstd(texts: Iterable[bytes]) -> Iterator[bytes]:
    sink = _Sink()
    with pa.CompressedOutputStream(pa.PythonFile(sink, mode="w"), "zstd") as stream:
        for text in texts:
            stream.write(text)
            yield sink.taken()
    yield sink.taken()
