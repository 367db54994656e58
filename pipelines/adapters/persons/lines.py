"""A delimited file as DuckDB may read it in parallel: whole records on lines of their own, and nothing else.

The text comes in blocks of any size. Lines that are no record (another number of fields, broken quotes, not UTF-8, a
NUL byte, a carriage return inside, too long) are counted and left out; a line break within quotes becomes another
control character, CR LF becomes LF, and spaces around a value go. Most lines are found to be in order by looking at
whole blocks; the others are looked at one by one.

The form is RFC 4180. Quotes that are not closed, or not where a field begins and ends, break the line on which the
record begins; reading goes on with the next line, so one stray quote costs one row, not the rest of the file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

import numpy as np

LONGEST_LINE = 1 << 20
# A record in quotes may go on over so many lines, and no more: a stray quote must not swallow a file.
MOST_LINES = 100
LINE_BREAK_WITHIN = b"\x1f"

COMMA, NEWLINE, QUOTE, SPACE, RETURN = (ord(character) for character in ',\n" \r')
FIELD = rb'(?:"[^"\0\r]*+(?:""[^"\0\r]*+)*+"|[^",\n\0\r]*+)'
RECORD = rb"%b(?:,%b){%d}(?=\n)"
SPACES = re.compile(rb" *([,\n]) *")


class Lines:
    """The records of a text, in blocks of whole lines; `unparsable` counts what was left out, once all is read."""

    def __init__(self, texts: Iterable[bytes], fields: int, exact: bool = False) -> None:
        self.unparsable = 0
        self._texts = iter(texts)
        self._fields = fields
        self._record = re.compile(RECORD % (FIELD, FIELD, fields - 1))
        self._field = re.compile(FIELD)
        # Looks at every record, whatever the counts say.
        self._exact = exact

    def __iter__(self) -> Iterator[bytes]:
        carried, skipping = b"", False
        for text in _line_feeds(self._texts):
            block = carried + text if carried else text
            if skipping:
                end = block.find(b"\n")
                if end < 0:
                    carried = b""
                    continue
                block, skipping = block[end + 1 :], False
            end = block.rfind(b"\n") + 1
            if not end:
                carried = block
            else:
                first = block.find(b"\n")
                if first > LONGEST_LINE:
                    self.unparsable += 1
                    block, end = block[first + 1 :], end - first - 1
                carried = block[end:]
                if end:
                    done, rest = self._block(block[:end], last=False)
                    carried = rest + carried
                    yield done
            if len(carried) > LONGEST_LINE and b"\n" not in carried:
                self.unparsable += 1
                carried, skipping = b"", True
        if carried:
            yield self._block(carried + b"\n" if not carried.endswith(b"\n") else carried, last=True)[0]

    def _block(self, block: bytes, last: bool) -> tuple[bytes, bytes]:
        """A block of whole lines in order, and what must wait for more text.

        Lines that are in order go as they are; the others are looked at one by one, each with the lines that its quotes
        take along.
        """
        cells = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero(cells == NEWLINE)
        done, position = [], 0
        for start in self._starts_out_of_order(block, cells, ends):
            if start < position:
                continue
            done.append(block[position:start])
            record, position = self._record_at(block, start, last)
            if position < 0:
                return b"".join(done), block[start:]
            done.append(record)
        done.append(block[position:])
        return b"".join(done), b""

    def _starts_out_of_order(self, block: bytes, cells: np.ndarray, ends: np.ndarray) -> list[int]:
        """Where the lines begin that are not beyond doubt a record of so many fields without anything to tidy."""
        starts = np.concatenate(([0], ends[:-1] + 1))
        if self._exact:
            return [int(start) for start in starts]
        commas = np.flatnonzero(cells == COMMA)
        counts = np.diff(np.searchsorted(commas, ends), prepend=0)
        quotes = _Quotes(cells, ends) if b'"' in block else None
        odd = [_spaces_outside(cells, quotes)]
        if b"\0" in block or b"\r" in block:
            odd.append(np.flatnonzero((cells == 0) | (cells == RETURN)))
        if not block.isascii() and not _is_utf8(block):
            odd.append(np.flatnonzero(cells >= 0x80))
        if quotes is not None:
            odd.append(quotes.out_of_order)
            np.subtract.at(counts, quotes.lines, quotes.within(commas))
        wrong = [np.flatnonzero(counts != self._fields - 1)]
        wrong += [np.searchsorted(ends, positions) for positions in odd if len(positions)]
        return [int(start) for start in starts[np.unique(np.concatenate(wrong))]]

    def _record_at(self, block: bytes, position: int, last: bool) -> tuple[bytes, int]:
        """The record that begins at a position, tidied, empty when it is none, and where the next one begins.

        That is -1 when the record may go on after the block.
        """
        end = block.find(b"\n", position)
        line = block[position:end]
        if b'"' not in line:
            if not line:
                return b"", end + 1
            if line.count(b",") == self._fields - 1 and b"\0" not in line and b"\r" not in line and _is_utf8(line):
                tidy = SPACES.sub(rb"\1", line).strip(b" ") if b" " in line else line
                return tidy + b"\n", end + 1
            self.unparsable += 1
            return b"", end + 1
        found = self._record.match(block, position)
        if found is None or found.end() - position > LONGEST_LINE:
            if not last and self._may_go_on(block, position):
                return b"", -1
            self.unparsable += 1
            return b"", end + 1
        record = found.group()
        if record.count(b"\n") >= MOST_LINES or not _is_utf8(record):
            self.unparsable += 1
            return b"", end + 1
        return self._plain(record) + b"\n", found.end() + 1

    def _may_go_on(self, block: bytes, position: int) -> bool:
        """Whether the record at `position`, which does not end in the block, could end within the limits after it."""
        left = len(block) - position
        return left <= LONGEST_LINE and block.count(b"\n", position) < MOST_LINES and self._is_open(block, position)

    def _is_open(self, block: bytes, position: int) -> bool:
        """Whether the text from `position` ends within quotes that opened where a field begins."""
        while True:
            if block[position : position + 1] == b'"':
                found = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"').match(block, position)
                if found is None:
                    return True
            else:
                found = self._field_at(block, position)
            position = found.end()
            if block[position : position + 1] != b",":
                # A quote at the very end may be the first of two.
                return position >= len(block)
            position += 1

    def _field_at(self, text: bytes, position: int) -> re.Match[bytes]:
        """The field that begins there: outside quotes even nothing is one."""
        found = self._field.match(text, position)
        if found is None:
            raise RuntimeError("a record that was found whole holds a field that is none")
        return found

    def _plain(self, record: bytes) -> bytes:
        """A record on one line, its fields without outer spaces and in quotes only where they need them."""
        fields, position = [], 0
        for _ in range(self._fields):
            found = self._field_at(record, position)
            field = found.group()
            if field.startswith(b'"'):
                field = field[1:-1].replace(b"\n", LINE_BREAK_WITHIN).strip(b" ")
                if b'"' in field or b"," in field:
                    field = b'"' + field + b'"'
            else:
                field = field.strip(b" ")
            fields.append(field)
            position = found.end() + 1
        return b",".join(fields)


class Stream(io.RawIOBase):
    """Blocks as a file that is read once, forward; what goes wrong while reading is kept in `trouble`."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        super().__init__()
        self._blocks = iter(blocks)
        self._pending = memoryview(b"")
        self._position = 0
        self.trouble: BaseException | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """Only to where it stands."""
        return True

    def tell(self) -> int:
        """How much was read."""
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        """Stay. Raises `OSError` for any other place."""
        if whence != 0 or offset != self._position:
            raise OSError("this stream is read forward only")
        return offset

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        parts, wanted = [], size
        try:
            while wanted:
                if not self._pending:
                    block = next(self._blocks, None)
                    if block is None:
                        break
                    self._pending = memoryview(block)
                part = self._pending[:wanted]
                self._pending = self._pending[wanted:]
                parts.append(part)
                wanted -= len(part)
        except BaseException as error:
            self.trouble = error
            raise
        answer = b"".join(parts)
        self._position += len(answer)
        return answer


def _line_feeds(texts: Iterable[bytes]) -> Iterator[bytes]:
    """The text with LF in the place of CR LF, wherever it was cut."""
    held = b""
    for text in texts:
        text, held = held + text if held else text, b""
        if text.endswith(b"\r"):
            text, held = text[:-1], b"\r"
        yield text.replace(b"\r\n", b"\n") if b"\r" in text else text


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class _Quotes:
    """The quotes of a block, counted anew on each line: one that goes on over lines puts all of them out of order."""

    def __init__(self, cells: np.ndarray, ends: np.ndarray) -> None:
        quotes = np.flatnonzero(cells == QUOTE)
        lines = np.searchsorted(ends, quotes)
        firsts = np.searchsorted(lines, lines)
        opens = (np.arange(len(quotes)) - firsts) % 2 == 0
        # Before the first byte stands the last one, a line end.
        beside = np.where(opens, cells[quotes - 1], cells[quotes + 1])
        alone = (np.searchsorted(lines, lines, side="right") - firsts) % 2 == 1
        # Where a quote neither opens at the beginning of a field nor closes at its end, or has no other half; two
        # together close and open again.
        self.out_of_order = quotes[alone | ~np.isin(beside, (COMMA, NEWLINE, QUOTE))]
        pairs = opens & ~alone
        self._opening, self._closing = quotes[pairs], quotes[np.flatnonzero(pairs) + 1]
        self.lines = lines[pairs]

    def within(self, commas: np.ndarray) -> np.ndarray:
        """How many commas stand within each pair of quotes, whose line is `lines`."""
        return np.searchsorted(commas, self._closing) - np.searchsorted(commas, self._opening)

    def around(self, positions: np.ndarray) -> np.ndarray:
        """Which positions lie within a pair of quotes."""
        return np.searchsorted(self._opening, positions) > np.searchsorted(self._closing, positions)


def _spaces_outside(cells: np.ndarray, quotes: _Quotes | None) -> np.ndarray:
    """Where a space stands at the border of a field, inside or outside its quotes."""
    spaces = np.flatnonzero(cells == SPACE)
    before, after = cells[spaces - 1], cells[spaces + 1]
    borders = (COMMA, NEWLINE)
    is_outer = np.isin(before, borders) | np.isin(after, borders)
    if quotes is None:
        return spaces[is_outer]
    inside = quotes.around(spaces)
    last = len(cells) - 1
    opened = (before == QUOTE) & np.isin(cells[spaces - 2], borders)
    closing = (after == QUOTE) & np.isin(cells[np.minimum(spaces + 2, last)], borders)
    beside_quote = (before == QUOTE) | (after == QUOTE)
    return spaces[np.where(inside, opened | closing, is_outer | beside_quote)]
