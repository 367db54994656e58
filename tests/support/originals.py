"""The cells of a received file by another road than ours: the standard library alone.

What `explain` says of a file, sheet, row and column is opened here and read again.
"""

from __future__ import annotations

import csv
import io
import posixpath
import re
import xml.etree.ElementTree as ET
import zipfile

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3})")


class Original:
    """One file, opened: `text` gives a cell as it stands there."""

    def __init__(self, content: bytes) -> None:
        """Open the bytes of an `.xlsx` or a CSV file."""
        self._sheets: dict[str | None, dict[str, str]] = {}
        if content.startswith(b"PK"):
            self._archive = zipfile.ZipFile(io.BytesIO(content))
            self._parts = self._parts_of_sheets()
            self._strings = self._shared_strings()
        else:
            encoding = "utf-8-sig" if _is_utf8(content) else "cp1252"
            lines = csv.reader(io.StringIO(content.decode(encoding), newline=""))
            self._sheets[None] = {
                f"{_letters(column)}{row}": cell
                for row, line in enumerate(lines, start=1)
                for column, cell in enumerate(line)
            }

    def text(self, sheet: str | None, row: int, column: str) -> str:
        """What stands in a cell; empty when nothing does."""
        if sheet not in self._sheets:
            self._sheets[sheet] = self._cells(self._parts[str(sheet)])
        return self._sheets[sheet].get(f"{column}{row}", "")

    def number(self, sheet: str | None, row: int, column: str) -> float | None:
        """The number in a cell; None when it is empty or a publisher's mark for nothing."""
        written = THOUSANDS.sub("", self.text(sheet, row, column).strip())
        return None if written in ("", "-", ".") else float(written)

    def _parts_of_sheets(self) -> dict[str, str]:
        relations = {
            one.get("Id"): posixpath.normpath(posixpath.join("xl", one.get("Target", "")))
            for one in ET.fromstring(self._archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
        }
        workbook = ET.fromstring(self._archive.read("xl/workbook.xml"))  # noqa: S314
        return {str(one.get("name")): relations[one.get(RELATION)] for one in workbook.iter(f"{MAIN}sheet")}

    def _shared_strings(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._archive.namelist():
            return []
        root = ET.fromstring(self._archive.read("xl/sharedStrings.xml"))  # noqa: S314
        return ["".join(text.text or "" for text in one.iter(f"{MAIN}t")) for one in root.iter(f"{MAIN}si")]

    def _cells(self, part: str) -> dict[str, str]:
        cells = {}
        for cell in ET.fromstring(self._archive.read(part)).iter(f"{MAIN}c"):  # noqa: S314
            value, kind = cell.find(f"{MAIN}v"), cell.get("t")
            if kind == "inlineStr":
                cells[str(cell.get("r"))] = "".join(text.text or "" for text in cell.iter(f"{MAIN}t"))
            elif value is not None and value.text:
                cells[str(cell.get("r"))] = self._strings[int(value.text)] if kind == "s" else value.text
        return cells


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _letters(index: int) -> str:
    """Spreadsheet letters of a column, counted from 0."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
