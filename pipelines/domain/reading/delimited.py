"""Delimited text into a grid of cells; refuses what is not text of the declared encoding."""

from __future__ import annotations

import csv
import io

from pipelines.domain.reading.cells import Line, Sheet
from pipelines.domain.refusals import refuse

LONGEST_LINE = 100_000

SIGNATURES = (
    (b"PK\x03\x04", "a zip archive or Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an Excel 97-2003 workbook"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
)


def read_delimited(content: bytes, *, delimiter: str, quoted: bool, encodings: tuple[str, ...]) -> Sheet:
    """The lines of a delimited file. Raises `Refused` with the first line that cannot be read."""
    if not content.strip():
        raise refuse("the file is empty: ask the supplier to send it again")
    for signature, kind in SIGNATURES:
        if content.startswith(signature):
            raise refuse(f"this is {kind}, not delimited text: send the CSV of the publication")
    start = content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise refuse("this is a web page, not delimited text: the download failed, fetch the file again")
    if b"\x00" in content:
        line = content[: content.index(b"\x00")].count(b"\n") + 1
        raise refuse("NUL bytes: the file is damaged or in another encoding, save it as UTF-8 CSV", row=line)
    for number, raw in enumerate(content.splitlines(), start=1):
        if len(raw) > LONGEST_LINE:
            raise refuse(f"a line of more than {LONGEST_LINE:,} bytes: the file is damaged", row=number)
    return Sheet(name=None, lines=_lines(_decoded(content, encodings), delimiter, quoted))


def _decoded(content: bytes, encodings: tuple[str, ...]) -> str:
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
    raise refuse(f"not {' or '.join(encodings)} text: save the file in that encoding", row=line)


def _lines(content: str, delimiter: str, quoted: bool) -> list[Line]:
    reader = csv.reader(
        io.StringIO(content, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=True,
    )
    lines: list[Line] = []
    number = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return lines
        except csv.Error as error:
            raise refuse(
                f"broken CSV ({error}): a quote is opened and not closed, or a field is too long", row=number
            ) from None
        lines.append(Line(number, cells))
        number = reader.line_num + 1
