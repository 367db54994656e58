"""Excel workbooks (.xlsx, .xls) into grids of typed cells at their true rows and columns.

Calamine reads an error value, and a formula that was never calculated, as an empty cell; both would pass for
"not reported", so .xlsx sheets are looked through for them first.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from xml.etree.ElementTree import ParseError

import python_calamine
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from pipelines.domain.reading.cells import Line, Sheet
from pipelines.domain.refusals import Reason, Refused, refuse

XLSX = b"PK\x03\x04"
XLS = b"\xd0\xcf\x11\xe0"
LARGEST_UNPACKED = 512 * 1024**2
MOST_CELLS = 20_000_000
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    DefusedXmlException,
    KeyError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

# A cell that holds an error value; a cell whose formula is followed by no result. Any writer's spelling of XML:
# either quote, a namespace prefix, white space between elements.
ERROR = re.compile(rb"""<(?:\w+:)?c\s([^>]*\bt\s*=\s*["']e["'][^>]*)>""")
UNCALCULATED = re.compile(
    rb"""<(?:\w+:)?c(\s[^>]*[^/>])>\s*+<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f\s*>)\s*+(?!<(?:\w+:)?v\b[^>]*>\s*[^<\s])"""
)
GIVES_TEXT = re.compile(rb"""\bt\s*=\s*["']str["']""")
REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Z]+)([0-9]+)["']""")
COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
# References beyond column ZZ or row 9,999, which alone can make a sheet too large.
FAR_COLUMN = re.compile(rb"""\br\s*=\s*["']([A-Z]{3,})[0-9]+["']""")
FAR_ROW = re.compile(rb"""\br\s*=\s*["'][A-Z]*([0-9]{5,})["']""")


def read_workbook(content: bytes) -> list[Sheet]:
    """Every worksheet with its cells from A1. Raises `Refused` when it is no whole workbook or a cell has no value."""
    if not content.strip():
        raise refuse("the file is empty: ask the supplier to send it again")
    if content.startswith(XLSX):
        _look_through(content)
    elif not content.startswith(XLS):
        raise refuse("not an Excel workbook: send the .xlsx or .xls of the publication")
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        return [
            Sheet(
                name,
                [
                    Line(number, cells)
                    for number, cells in enumerate(
                        book.get_sheet_by_name(name).to_python(skip_empty_area=False), start=1
                    )
                ],
            )
            for name in book.sheet_names
        ]
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # a damaged file can make the Rust reader panic, which is no Exception
        raise refuse("the workbook is damaged or cut short: ask the supplier to send it again") from None


def _look_through(content: bytes) -> None:
    """Refuse a broken archive, one that unpacks to an absurd size, and cells without a value of their own."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_UNPACKED:
                raise refuse("the workbook unpacks to more than 512 MiB: it is not this publication")
            reasons = [
                reason
                for path, sheet in _sheet_files(archive).items()
                for reason in _looked_through(archive.read(path), sheet)
            ]
    except DAMAGE:
        raise refuse("the workbook is damaged or cut short: ask the supplier to send it again") from None
    if reasons:
        raise Refused(*reasons)


def _sheet_files(archive: zipfile.ZipFile) -> dict[str, str]:
    """Path of each worksheet in the archive -> its name."""
    targets = {
        relation.get("Id"): str(relation.get("Target"))
        for relation in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    sheets = ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{MAIN}sheet")
    paths = {targets[sheet.get(RELATION)]: str(sheet.get("name")) for sheet in sheets}
    files = set(archive.namelist())
    found = {(path.lstrip("/") if path.startswith("/") else f"xl/{path}"): name for path, name in paths.items()}
    return {path: name for path, name in found.items() if path in files}


def _looked_through(xml: bytes, sheet: str) -> list[Reason]:
    if xml.startswith((b"\xff\xfe", b"\xfe\xff")):
        xml = xml.decode("utf-16").encode()
    if b"<!--" in xml:
        xml = COMMENT.sub(b"", xml)
    columns = max((_number(letters) for letters in FAR_COLUMN.findall(xml)), default=_number(b"ZZ"))
    rows = max((int(digits) for digits in FAR_ROW.findall(xml)), default=9_999)
    if columns * rows > MOST_CELLS:
        raise refuse(f"the sheet spans more than {MOST_CELLS:,} cells: it is not this publication", sheet=sheet)
    found = [(attributes, "an error value") for attributes in ERROR.findall(xml)]
    found += [
        (attributes, "a formula without its result: open and save the workbook in Excel")
        for attributes in UNCALCULATED.findall(xml)
        if not GIVES_TEXT.search(attributes)  # a formula may well give empty text
    ]
    reasons = []
    for attributes, what in found:
        place = REFERENCE.search(attributes)
        column, row = (place[1].decode(), int(place[2])) if place else (None, None)
        reasons.append(Reason(what, sheet, row, column))
    return reasons


def _number(letters: bytes) -> int:
    """1-based number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
