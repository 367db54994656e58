"""Files that nobody should send: each made from a good one, with what must come of it.

`CANARY` and the names of the synthetic organisations (all FICTIONAL) stand where a careless reason would print
the cell that it complains about.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from tests.support.supplied import supplied
from tests.support.workbooks import SHEETS, Workbook, text

ACCEPTED, QUARANTINED = "accepted", "quarantined"
CANARY = "987654321"

HTML = b"<!DOCTYPE html>\n<html><head><title>503 Service Unavailable</title></head><body>987654321</body></html>\n"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1024)
EPOCH_OF_ZIP = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Case:
    """One file: how it is wrong (or only looks it), its name, its bytes, and what must come of it.

    `says` is a part of the first reasons of a refusal, or of the warnings of a file that is let in.
    """

    wrong: str
    feed: str
    file: str
    content: bytes
    verdict: str
    says: str = ""


# --- A&E monthly: delimited text -----------------------------------------------------------------------------------

AE = "ae_monthly"
APRIL = "April-2020-revised-010520"
ATTENDANCES = "A&E attendances Type 1"
ADMISSIONS = "Other emergency admissions"
TRUST = "ZA5"

Rows = list[list[str]]


def april() -> bytes:
    """The good file that every A&E case starts from."""
    return supplied(AE, APRIL).read_bytes()


def rows() -> Rows:
    """Its rows: the header first, TOTAL last."""
    return list(csv.reader(io.StringIO(april().decode())))


def written(table: Rows) -> bytes:
    """Rows as a file."""
    content = io.StringIO(newline="")
    csv.writer(content, lineterminator="\n").writerows(table)
    return content.getvalue().encode()


def cell(value: str, column: str = ATTENDANCES, row: str = TRUST) -> bytes:
    """The good file with one cell changed and TOTAL as it was."""
    table = rows()
    _row(table, row)[table[0].index(column)] = value
    return written(table)


def counted(value: str) -> bytes:
    """The good file with one figure changed and TOTAL in agreement with it."""
    table = rows()
    at = table[0].index(ADMISSIONS)
    before, total = float(_row(table, TRUST)[at]), table[-1]
    _row(table, TRUST)[at] = value
    total[at] = f"{float(total[at]) - before + float(value):g}"
    return written(table)


def every(column: str, value: str) -> bytes:
    """The good file with a column that holds one value, but for TOTAL."""
    table = rows()
    for line in table[1:-1]:
        line[table[0].index(column)] = value
    return written(table)


def with_column(header: str, values: Sequence[str]) -> bytes:
    """The good file with one more column."""
    head, *body = rows()
    values = [*values, *[""] * (len(body) - len(values))]
    return written([[*head, header], *[[*line, value] for line, value in zip(body, values, strict=True)]])


def without_column(column: str) -> bytes:
    """The good file with one column less."""
    table = rows()
    at = table[0].index(column)
    return written([line[:at] + line[at + 1 :] for line in table])


def headed(old: str, new: str) -> bytes:
    """The good file with a column called something else."""
    head, *body = rows()
    return written([[new if label == old else label for label in head], *body])


def with_preamble(words: str) -> bytes:
    """The good file below a line of words, as a person leaves it: the way to a file of one's own."""
    return words.encode() + b"\n" + april()


def reordered() -> bytes:
    """The good file with its columns from right to left."""
    return written([line[::-1] for line in rows()])


def duplicated() -> bytes:
    """The good file with a provider's row twice, counted twice in TOTAL."""
    head, *body, total = rows()
    again = next(line for line in body if line[1] == TRUST)
    counts = [str(int(one) + int(more)) for one, more in zip(total[4:], again[4:], strict=True)]
    return written([head, *body, again, [*total[:4], *counts]])


def two_periods() -> bytes:
    """The good file with one row of another month."""
    table = rows()
    _row(table, TRUST)[0] = "MSitAE-MARCH-2020"
    return written(table)


def restated() -> bytes:
    """The good file as it is published again: one figure more, TOTAL in agreement."""
    return counted("336")


def _row(table: Rows, code: str) -> list[str]:
    return next(line for line in table if line[1] == code)


def _ae(wrong: str, content: bytes, verdict: str, says: str = "", file: str = "") -> Case:
    return Case(wrong, AE, file or f"{wrong}.csv", content, verdict, says)


def ae_cases() -> list[Case]:
    """Everything that is sent as the A&E return."""
    good, table = april(), rows()
    refused: list[tuple[str, bytes, str]] = [
        ("empty", b"", "the file is empty"),
        ("white space only", b" \r\n\t\n  ", "the file is empty"),
        ("cut in the middle of a line", good[: len(good) * 2 // 3], "0 TOTAL rows"),
        ("cut at the end of a line", written(table[:40]), "0 TOTAL rows"),
        ("cut inside the TOTAL row", good[:-30], "differs from the total"),
        ("TOTAL gone", written(table[:-1]), "0 TOTAL rows"),
        ("TOTAL twice", written([*table, table[-1]]), "2 TOTAL rows"),
        ("TOTAL differs", cell(CANARY, row="TOTAL"), "differs from the total"),
        ("header only", written(table[:1]), "no provider rows"),
        ("header and TOTAL only", written([table[0], table[-1]]), "no provider rows"),
        ("no header", written(table[1:]), "no header row"),
        ("workbook called csv", supplied(COVID).read_bytes(), "Excel workbook"),
        ("old workbook called csv", OLE, "Excel 97-2003 workbook"),
        ("pdf called csv", PDF, "a PDF document"),
        ("gzip called csv", gzip.compress(good, mtime=0), "a gzip archive"),
        ("web page called csv", HTML, "a web page"),
        ("web page after blank lines", b"\xef\xbb\xbf\n\n" + HTML, "a web page"),
        ("header renamed", headed(ADMISSIONS, "Other admissions"), "'Other admissions' is not declared"),
        ("key renamed", headed("Org Code", "Organisation"), "column 'Org Code' is missing"),
        ("header twice", headed(ADMISSIONS, ATTENDANCES), "stands twice in the header"),
        ("column missing", without_column(ADMISSIONS), f"column '{ADMISSIONS}' is missing"),
        ("column nobody declared", with_column("Beds", [CANARY]), "column 'Beds' is not declared"),
        ("values under no header", with_column("", [CANARY]), "values under no header"),
        ("hostile header", with_column("\x1b[2J\u202e" + "x" * 500, ["1"]), "x1b[2J"),
        ("huge line", good + b"x" * 200_000 + b"\n", "a line of more than"),
        ("huge cell in quotes", cell("9\n" * 100_000), "broken CSV"),
        ("quote never closed", good.replace(b"2947", b'"2947', 1), "broken CSV"),
        ("NUL byte", good.replace(b"2947", b"29\x0047", 1), "NUL bytes"),
        ("UTF-16", good.decode().encode("utf-16"), "NUL bytes"),
        ("bytes of no encoding", good.replace(b"SAINTE", b"S\x81INTE", 1), "text: save the file"),
        ("negative", counted("-4"), "cannot be negative"),
        ("fraction", counted("335.5"), "whole number"),
        ("text in a figure", cell("FICTIONAL WORDS"), "not a plain number"),
        ("formula in a figure", cell("=1+987654321"), "not a plain number"),
        ("1e400", cell("1e400"), "not a plain number"),
        ("1e5", cell("1e5"), "not a plain number"),
        ("nan", cell("NaN"), "not a plain number"),
        ("infinity", cell("-inf"), "not a plain number"),
        ("hexadecimal", cell("0x1F"), "not a plain number"),
        ("underscore in a figure", cell("2_947"), "not a plain number"),
        ("comma at the wrong place", cell("29,47"), "not a plain number"),
        ("digits of another script", cell("\uff12\uff19\uff14\uff17"), "not a plain number"),
        ("more digits than a number", cell("9" * 60), "not a plain number"),
        ("more people than exist", cell("9" * 15), "beyond a million million"),
        ("name that is a formula", cell("=HYPERLINK(987654321)", "Org name"), "a spreadsheet would run it"),
        ("name that is a formula after spaces", cell("  @SUM(987654321)", "Org name"), "a spreadsheet would run it"),
        ("name that is missing", cell("", "Org name"), "org_name: empty"),
        ("code that is none", cell("Z;987654321", "Org Code"), "not a code"),
        ("code of another script", cell("\u0396A5", "Org Code"), "not a code"),
        (
            "figures of nobody",
            written([*table[:-1], ["", "", "", "", *table[-1][4:]], table[-1]]),
            "empty where a value",
        ),
        ("region nobody knows", cell("NHS ENGLAND FICTIONAL", "Parent Org"), "names no region"),
        ("period that is none", every("Period", "MSitAE-SMARCH-2020"), "not a month"),
        ("year 0", every("Period", "MSitAE-APRIL-0000"), "not a month"),
        ("year 9999", every("Period", "MSitAE-DECEMBER-9999"), "not a month"),
        ("two periods", two_periods(), "rows of several periods"),
        ("provider twice", duplicated(), "A provider stands once"),
    ]
    accepted: list[tuple[str, bytes, str]] = [
        ("header below other lines", with_preamble("Some words\n\nabove the header"), ""),
        ("columns in another order", reordered(), ""),
        ("column that is empty", with_column("Comments", []), "Comments"),
        ("byte order mark and CRLF", b"\xef\xbb\xbf" + good.replace(b"\n", b"\r\n"), ""),
        ("old Mac line ends", good.replace(b"\n", b"\r"), ""),
        ("thousands with commas", cell("2,947"), ""),
    ]
    future = every("Period", "MSitAE-JULY-2031")
    return [
        *(_ae(wrong, content, QUARANTINED, says) for wrong, content, says in refused),
        *(_ae(wrong, content, ACCEPTED, says) for wrong, content, says in accepted),
        _ae("a month to come", future, QUARANTINED, "cannot be known yet", f"{APRIL}-future.csv"),
        _ae("good", good, ACCEPTED, file=f"{APRIL}.csv"),
        _ae("same bytes under another name", good, ACCEPTED, file=f"{APRIL}-again.csv"),
        _ae("same period with other content", restated(), ACCEPTED, file="April-2020-revised-010621.csv"),
        *(_ae(f"name {wrong}", with_preamble(wrong), ACCEPTED, file=name) for wrong, name in HOSTILE_NAMES.items()),
    ]


HOSTILE_NAMES = {
    "like a path": "april%2f..%2f..%2fetc%2fpasswd.csv",
    "like a path of Windows": "april\\..\\..\\windows.csv",
    "with a newline": "april\naccepted  other.csv",
    "with a terminal escape": "april\x1b[2J\x1b]0;owned\x07.csv",
    "read from right to left": "april\u202evsc.exe",
    "of one mark-up tag": "[bold red]april[white].csv",
    "that is an option": "--json",
    "that is SQL": "april'; DROP TABLE batches; --.csv",
    "of no encoding": "april\udcff.csv",
    "as long as a name can be": "a" * 251 + ".csv",
}

# --- COVID hospital activity: a workbook ---------------------------------------------------------------------------

COVID = "covid_hospital_activity"
LAST = 13
# A cell of a provider that reports 0: an empty one in its place changes no total.
ZERO = "E30"
WITH_DAYS = "E15"

Edit = Callable[[Workbook], Workbook]


def workbook(edit: Edit = lambda book: book) -> bytes:
    """The first issue of the synthetic workbook, edited."""
    return edit(Workbook(supplied(COVID).read_bytes())).render()


def _entities() -> str:
    """Ten lines that unfold to a thousand million letters."""
    lines = "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{lines}]><x>&i;</x>'


def _unfolding(part: str) -> Edit:
    def edit(book: Workbook) -> Workbook:
        book.parts[part] = _entities().encode()
        return book

    return edit


def _declared(content: bytes, field: str, value: int) -> bytes:
    """A zip whose every directory entry says `value` in a field: `flag` bits, or the unpacked `size`."""
    offset, width = {"flag": (8, 2), "size": (24, 4)}[field]
    changed, at = bytearray(content), content.find(b"PK\x01\x02")
    while at >= 0:
        changed[at + offset : at + offset + width] = value.to_bytes(width, "little")
        at = content.find(b"PK\x01\x02", at + 4)
    return bytes(changed)


def _odd_entries() -> bytes:
    """The good workbook with entries whose names lead out of any folder."""
    content = io.BytesIO(supplied(COVID).read_bytes())
    with zipfile.ZipFile(content, "a") as archive:
        for name in ("../../escaped.txt", "/etc/escaped", "xl/worksheets/../../escaped"):
            archive.writestr(zipfile.ZipInfo(name, EPOCH_OF_ZIP), CANARY)
    return content.getvalue()


def covid_cases() -> list[Case]:
    """Everything that is sent as the weekly workbook."""
    good = supplied(COVID).read_bytes()
    refused: list[tuple[str, bytes, str]] = [
        ("empty", b"", "the file is empty"),
        ("cut short", good[: len(good) // 2], "damaged or cut short"),
        ("csv called xlsx", april(), "not an Excel workbook"),
        ("web page called xlsx", HTML, "not an Excel workbook"),
        ("zip of something else", _zip({"readme.txt": b"FICTIONAL"}), "damaged or cut short"),
        ("old workbook that is none", OLE, "damaged or cut short"),
        ("entries that say encrypted", _declared(good, "flag", 1), "damaged or cut short"),
        ("entries that say 4 GiB", _declared(good, "size", 2**32 - 2), "unpacks to more than"),
        ("list of sheets that unfolds", workbook(_unfolding(SHEETS)), "damaged or cut short"),
        ("sheet that unfolds", workbook(_unfolding(Workbook.part(1))), "Hosp ads & diag"),
        ("cell at the far corner", workbook(_far), "Hosp ads & diag"),
        ("error value", workbook(lambda b: b.cell(1, ZERO, f'<c r="{ZERO}" t="e"><v>#DIV/0!</v></c>')), "error value"),
        (
            "error value, other quotes",
            workbook(lambda b: b.cell(1, ZERO, f"<c r='{ZERO}' t='e'><v>#N/A</v></c>")),
            "error value",
        ),
        (
            "error value, prefixed",
            workbook(lambda b: b.cell(1, ZERO, f'<c r="{ZERO}" t="e"><v>#REF!</v></c>').prefixed(1)),
            "error value",
        ),
        (
            "formula never calculated",
            workbook(lambda b: b.cell(1, ZERO, f'<c r="{ZERO}"><f>1+1</f></c>')),
            "formula without",
        ),
        (
            "formula never calculated, spaced",
            workbook(lambda b: b.cell(1, ZERO, f'<c r="{ZERO}">\n <f>1+1</f>\n</c>')),
            "formula without",
        ),
        ("1e400", workbook(lambda b: b.cell(1, ZERO, f'<c r="{ZERO}"><v>1e400</v></c>')), "beyond a million million"),
        ("nan", workbook(lambda b: b.cell(1, ZERO, f'<c r="{ZERO}"><v>NaN</v></c>')), "beyond a million million"),
        (
            "true where a figure is due",
            workbook(lambda b: b.cell(1, ZERO, f'<c r="{ZERO}" t="b"><v>1</v></c>')),
            "not a number",
        ),
        ("text in a figure", workbook(lambda b: b.cell(1, ZERO, text(ZERO, "FICTIONAL"))), "not a plain number"),
        (
            "a figure out of all proportion",
            workbook(lambda b: b.cell(1, ZERO, f'<c r="{ZERO}"><v>{CANARY}</v></c>')),
            "differs from the total",
        ),
        (
            "name that is a formula",
            workbook(lambda b: b.cell(1, "D30", text("D30", "=1+987654321"))),
            "a spreadsheet would run it",
        ),
        ("region nobody knows", workbook(lambda b: b.cell(1, "B30", text("B30", "FICTIONAL"))), "names no region"),
        ("code that is none", workbook(lambda b: b.cell(1, "C30", text("C30", "Z-987654321"))), "not a code"),
        ("ENGLAND gone", workbook(lambda b: b.row(1, 16)), "0 ENGLAND rows"),
        (
            "ENGLAND twice",
            workbook(lambda b: b.last_row(1, f'<row r="201">{text("D201", "ENGLAND")}</row>')),
            "2 ENGLAND rows",
        ),
        ("region row gone", workbook(lambda b: b.row(1, 19)), "differs from the total"),
        ("header renamed", workbook(lambda b: b.cell(1, "C15", text("C15", "Org code"))), "Hosp ads & diag"),
        (
            "day that is no day",
            workbook(lambda b: b.cell(1, WITH_DAYS, text(WITH_DAYS, "Beds"))),
            "column 'Beds' is not declared",
        ),
        (
            "day twice",
            workbook(lambda b: b.cell(1, "F15", '<c r="F15"><v>44150</v></c>')),
            "stands twice in the header",
        ),
        ("two sheets of one measure", workbook(lambda b: b.copy(1, LAST).name(LAST, "Other")), "a second sheet for"),
        ("name and summary that disagree", workbook(lambda b: b.copy(1, LAST)), "the sheet's name says"),
        (
            "two days of publication",
            workbook(lambda b: b.cell(1, "B7", '<c r="B7"><v>44176</v></c>')),
            "different publication dates",
        ),
        (
            "day after the publication",
            workbook(lambda b: b.cell(1, WITH_DAYS, '<c r="E15"><v>47000</v></c>')),
            "cannot be known yet",
        ),
        ("no sheet of the publication", workbook(_nothing_left), "no sheet holds the provider table"),
    ]
    accepted: list[tuple[str, bytes, str]] = [
        ("formulas with their results", good, ""),
        ("sheet renamed", workbook(lambda b: b.name(2, "Tabelle 2")), ""),
        ("sheet gone", workbook(lambda b: b.remove(LAST)), ""),
        ("sheet of notes", workbook(_notes), "sheet Notes: no provider table"),
        ("sheet of a measure nobody declared", workbook(_of_nobody), "sheet Other: a measure that is not declared"),
        ("entries that lead out of the folder", _odd_entries(), ""),
    ]
    return [
        *(Case(wrong, COVID, f"{wrong}.xlsx", content, QUARANTINED, says) for wrong, content, says in refused),
        *(Case(wrong, COVID, f"{wrong}.xlsx", content, ACCEPTED, says) for wrong, content, says in accepted),
    ]


def _far(book: Workbook) -> Workbook:
    return book.last_row(1, f'<row r="1048576"><c r="XFD1048576"><v>{CANARY}</v></c></row>')


def _of_nobody(book: Workbook) -> Workbook:
    return book.copy(1, LAST).name(LAST, "Other").cell(LAST, "B3", text("B3", "Beds of nobody"))


def _notes(book: Workbook) -> Workbook:
    book.parts[Workbook.part(LAST)] = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        + f'<row r="1">{text("A1", "How this was made")}</row>'.encode()
        + b"</sheetData></worksheet>"
    )
    return book.name(LAST, "Notes")


def _nothing_left(book: Workbook) -> Workbook:
    for sheet in range(1, LAST):
        book.remove(sheet)
    return _notes(book)


def _zip(parts: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH_OF_ZIP), part)
    return content.getvalue()


# --- Organisation lists --------------------------------------------------------------------------------------------


def list_cases() -> list[Case]:
    """Everything that is sent as a list of organisations."""
    trusts, practices = supplied("ods_trusts", "etr.").read_bytes(), supplied("ods_gp_practices").read_bytes()
    sites = supplied("ods_sites").read_bytes()
    header = ",".join(f'"Column {number}"' for number in range(1, 28)).encode()
    first = trusts.splitlines(keepends=True)[0]
    longer = first.rstrip(b"\r\n") + b',"987654321"\r\n'
    return [
        Case("practices sent as trusts", "ods_trusts", "epraccur.csv", practices, QUARANTINED, "not a code"),
        Case("header on a list without one", "ods_trusts", "h.csv", header + b"\r\n" + trusts, QUARANTINED, "not a"),
        Case("line cut", "ods_trusts", "cut.csv", trusts[:-40], QUARANTINED, "columns where"),
        Case(
            "column beyond the last",
            "ods_trusts",
            "long.csv",
            trusts.replace(first, longer),
            QUARANTINED,
            "a value beyond",
        ),
        Case(
            "day that is none",
            "ods_trusts",
            "day.csv",
            trusts.replace(b'"20000401"', b'"20000431"', 1),
            QUARANTINED,
            "not a date",
        ),
        Case("good", "ods_trusts", "etr.csv", trusts, ACCEPTED),
        Case("trusts sent as practices", "ods_gp_practices", "etr.csv", trusts, QUARANTINED, "not a code"),
        Case("figures sent as practices", "ods_gp_practices", "april.csv", april(), QUARANTINED, "not a code"),
        Case(
            "name that is a formula",
            "ods_gp_practices",
            "name.csv",
            practices.replace(b'"FICTIONAL', b'"=FICTIONAL', 1),
            QUARANTINED,
            "a spreadsheet would run it",
        ),
        Case(
            "delimiter in two bytes",
            "ods_sites",
            "utf8.csv",
            sites.decode("latin-1").encode(),
            QUARANTINED,
            "missing from the header",
        ),
    ]


@cache
def cases() -> tuple[Case, ...]:
    """Every case."""
    return (*ae_cases(), *covid_cases(), *list_cases())
