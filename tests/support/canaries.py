"""Marks planted where no copy may be made of them: contact details, and cells for which a file is refused."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from tests.support.hostile import cell, counted, with_column
from tests.support.supplied import supplied
from tests.support.workbooks import Workbook, text

ADDRESS = "17 KANARIEVOGEL LANE"
POSTCODE = "QX97 8ZK"
TELEPHONE = "01632960987654"
FAX = "01632960432109"
EMAIL = "kanarievogel@nowhere.invalid"
WEBSITE = "https://kanarievogel.invalid/"
NAME = "=KANARIEVOGEL HOSPITAL"
FIGURE = "forty-two kanaries"
NEGATIVE = "-987654321"
NOTE = "kanarie in a note"
MARKS = (ADDRESS, POSTCODE, TELEPHONE, FAX, EMAIL, WEBSITE, NAME, FIGURE, NEGATIVE, NOTE)


@dataclass(frozen=True)
class Planted:
    """A file with marks in it, and whether it is to be refused."""

    feed: str
    path: Path
    is_refused: bool


def planted(folder: Path) -> list[Planted]:
    """The files, written to a folder: lists with contact details, a workbook, figures, and four that are refused."""
    accepted = {
        ("ae_monthly", "April-2020-revised-010520.csv"): supplied("ae_monthly", "April").read_bytes(),
        ("ods_trusts", "etr.csv"): _by_position("ods_trusts", {5: ADDRESS, 10: POSTCODE}),
        ("ods_gp_practices", "epraccur.csv"): _by_position(
            "ods_gp_practices", {5: ADDRESS, 10: POSTCODE, 18: TELEPHONE}
        ),
        ("ods_sites", "Hospital.csv"): _by_header(
            "ods_sites",
            {
                "Address1": ADDRESS,
                "Postcode": POSTCODE,
                "Phone": TELEPHONE,
                "Email": EMAIL,
                "Website": WEBSITE,
                "Fax": FAX,
            },
            "\u00ac",
        ),
        ("ods_practice_hierarchy", "map.csv"): _by_header(
            "ods_practice_hierarchy", {"PRACTICE_POSTCODE": POSTCODE}, ","
        ),
        ("covid_hospital_activity", "week.xlsx"): Workbook(supplied("covid_hospital_activity").read_bytes())
        .cell(1, "B9", text("B9", EMAIL))
        .render(),
    }
    refused = {
        ("ae_monthly", "name.csv"): cell(NAME, "Org name"),
        ("ae_monthly", "figure.csv"): cell(FIGURE),
        ("ae_monthly", "negative.csv"): counted(NEGATIVE),
        ("ae_monthly", "note.csv"): with_column("Notes", [NOTE]),
    }
    files = []
    for is_refused, group in ((False, accepted), (True, refused)):
        for (feed, name), content in group.items():
            path = folder / feed / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            files.append(Planted(feed, path, is_refused))
    return files


def _by_position(feed: str, marks: dict[int, str]) -> bytes:
    """The feed's headerless file with marks in columns of its third row, counted from 1."""
    rows = list(csv.reader(io.StringIO(supplied(feed).read_text())))
    for position, mark in marks.items():
        rows[2][position - 1] = mark
    content = io.StringIO(newline="")
    csv.writer(content, quoting=csv.QUOTE_ALL).writerows(rows)
    return content.getvalue().encode()


def _by_header(feed: str, marks: dict[str, str], delimiter: str) -> bytes:
    """The feed's file with marks in named columns of its third row; no cell of it needs quotes."""
    head, *body = (line.split(delimiter) for line in supplied(feed).read_text("latin-1").splitlines())
    for header, mark in marks.items():
        body[2][head.index(header)] = mark
    return "\n".join(delimiter.join(line) for line in [head, *body]).encode("latin-1")
