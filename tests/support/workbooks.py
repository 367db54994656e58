"""Editing a workbook as whoever damages one would: part by part, in its XML."""

from __future__ import annotations

import io
import re
import zipfile

SHEETS = "xl/workbook.xml"


class Workbook:
    """The parts of an .xlsx file; sheets are known by their number in the file, from 1."""

    def __init__(self, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self.parts = {name: archive.read(name) for name in archive.namelist()}

    def cell(self, sheet: int, place: str, xml: str) -> Workbook:
        """Put XML in the stead of a cell that is there."""
        return self._once(self.part(sheet), rf'<c r="{place}"[^>]*?(?:/>|>.*?</c>)', xml)

    def row(self, sheet: int, number: int, xml: str = "") -> Workbook:
        """Put XML in the stead of a row that is there; without XML the row is gone."""
        return self._once(self.part(sheet), rf'<row r="{number}"[^>]*>.*?</row>', xml)

    def last_row(self, sheet: int, xml: str) -> Workbook:
        """Add a row below all others."""
        return self._once(self.part(sheet), "</sheetData>", f"{xml}</sheetData>")

    def name(self, sheet: int, name: str) -> Workbook:
        """Call a sheet something else."""
        return self._once(SHEETS, rf'name="[^"]*" sheetId="{sheet}"', f'name="{name}" sheetId="{sheet}"')

    def remove(self, sheet: int) -> Workbook:
        """Take a sheet out of the list of sheets."""
        return self._once(SHEETS, rf'<sheet name="[^"]*" sheetId="{sheet}"[^>]*/>', "")

    def copy(self, sheet: int, onto: int) -> Workbook:
        """Let a sheet hold what another holds."""
        self.parts[self.part(onto)] = self.parts[self.part(sheet)]
        return self

    def prefixed(self, sheet: int) -> Workbook:
        """Write the sheet's XML with a namespace prefix, as some programs do."""
        part = self.part(sheet)
        xml = re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", self.parts[part])
        self.parts[part] = xml.replace(b'xmlns="', b'xmlns:x="')
        return self

    def render(self) -> bytes:
        """The bytes of the file."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in self.parts.items():
                archive.writestr(name, part)
        return content.getvalue()

    @staticmethod
    def part(sheet: int) -> str:
        """Path of a sheet inside the file."""
        return f"xl/worksheets/sheet{sheet}.xml"

    def _once(self, part: str, pattern: str, xml: str) -> Workbook:
        edited, count = re.subn(pattern, lambda _: xml, self.parts[part].decode(), count=1, flags=re.DOTALL)
        if not count:
            raise ValueError(f"{part} has no {pattern}")
        self.parts[part] = edited.encode()
        return self


def text(place: str, words: str) -> str:
    """A cell of text."""
    return f'<c r="{place}" t="inlineStr"><is><t>{words}</t></is></c>'
