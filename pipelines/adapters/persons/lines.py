"""A delimited file as DuckDB may read it in parallel: whole records on lines of their own, and nothing else.

The text comes in blocks of any size. Lines that are no record (another number of fields, broken quotes, not UTF-8, a
NUL byte, a carriage return inside, too long) are counted and left out; a line break within quotes becomes another control
character, CR LF becomes LF, and spaces around a value go. Most blocks are found to be in order by counting bytes; the
others are looked at record by record.

The form is RFC 4180. Quotes that are not closed, or not where a field begins and ends, break the line on which the record
begins; reading goes on with the next line, so one stray quote costs one row, not the rest of the file.
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

COMMA, NEWLINE, QUOTE, SPACE = (ord(character) for character in ',\n" ')
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
        """A block of whole lines in order, and what must wait for more text."""
        if self._exact or not self._in_order(block):
            return self._one_by_one(block, last)
        return block, b""

    def _in_order(self, block: bytes) -> bool:
        if b"\0" in block or b"\r" in block or b"\n\n" in block or block[0] == NEWLINE:
            return False
        if not block.isascii() and not _is_utf8(block):
            return False
        cells = np.frombuffer(block, dtype=np.uint8)
        lines = int(np.count_nonzero(cells == NEWLINE))
        if int(np.count_nonzero(cells == COMMA)) != lines * (self._fields - 1):
            return False
        if b'"' in block and not _quotes_in_order(cells):
            return False
        return not _spaces_outside(cells)

    def _one_by_one(self, block: bytes, last: bool) -> tuple[bytes, bytes]:
        done = []
        position, size = 0, len(block)
        match, fields = self._record.match, self._fields
        while position < size:
            end = block.find(b"\n", position)
            line = block[position:end]
            if b'"' not in line:
                if (
                    line
                    and line.count(b",") == fields - 1
                    and b"\0" not in line
                    and b"\r" not in line
                    and _is_utf8(line)
                ):
                    done.append(SPACES.sub(rb"\1", line).strip(b" ") if b" " in line else line)
                elif line:
                    self.unparsable += 1
                position = end + 1
                continue
            found = match(block, position)
            if found is None or found.end() - position > LONGEST_LINE:
                if not last and self._may_go_on(block, position):
                    return _joined(done), block[position:]
                self.unparsable += 1
                position = end + 1
                continue
            record = found.group()
            if record.count(b"\n") >= MOST_LINES or not _is_utf8(record):
                self.unparsable += 1
                position = end + 1
                continue
            done.append(self._plain(record))
            position = found.end() + 1
        return _joined(done), b""

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
                found = self._field.match(block, position)
            assert found is not None
            position = found.end()
            if block[position : position + 1] != b",":
                # A quote at the very end may be the first of two.
                return position >= len(block)
            position += 1

    def _plain(self, record: bytes) -> bytes:
        """A record on one line, its fields without outer spaces and in quotes only where they need them."""
        fields, position = [], 0
        for _ in range(self._fields):
            found = self._field.match(record, position)
            assert found is not None
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


def _joined(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n" if lines else b""


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _quotes_in_order(cells: np.ndarray) -> bool:
    """Whether every quote opens at the beginning of a field or closes at its end, on one line, none of them doubled."""
    quotes = np.flatnonzero(cells == QUOTE)
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    before = cells[opening - 1]  # of the first byte: the last one, a line end
    after = cells[closing + 1]  # the last byte is a line end
    if not (np.isin(before, (COMMA, NEWLINE)).all() and np.isin(after, (COMMA, NEWLINE)).all()):
        return False
    ends = np.flatnonzero(cells == NEWLINE)
    return bool((np.searchsorted(ends, opening) == np.searchsorted(ends, closing)).all())


def _spaces_outside(cells: np.ndarray) -> bool:
    """Whether a space stands beside a comma, a quote or a line end."""
    spaces = np.flatnonzero(cells == SPACE)
    if not len(spaces):
        return False
    borders = (COMMA, NEWLINE, QUOTE)
    return bool(np.isin(cells[spaces - 1], borders).any() or np.isin(cells[spaces + 1], borders).any())
