"""Marks planted where no copy may be made of them.

Contact details, cells for which a file is refused, and whatever says who a person is, in every form that a file of
persons' records may have: in rows that are accepted, in rows rejected for one reason or another, and in a whole file
that is refused.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from data.synthetic.samples import person_samples
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

# Who a person is, of the test range; the second number fails Modulus 11 and stands in rejected rows only.
IDENTITY = {
    "nhs_number": "9990817464",
    "local_patient_identifier": "KANLOC90817",
    "person_given_name": "Kanarienkind",
    "person_family_name": "Kanarienvogt",
    "person_birth_date": "1937-03-19",
    "postcode_of_usual_address": "ZZ97 7KV",
}
WRONG_NUMBER = "9990817468"
SPELL = "KANSPELL55143"
RECORD = "KANREC55143"
COMPLAINT = "417030817"
CUT_LINE = "Kanarienrest"
IN_EVERY_FORM = "ecds_attendances"
PERSON_MARKS = (
    *IDENTITY.values(),
    "999 081 7464",
    "ZZ977KV",
    WRONG_NUMBER,
    "999 081 7468",
    SPELL,
    RECORD,
    COMPLAINT,
    "KANREJECTED",
    CUT_LINE,
)


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
    for number, (feed, (content, of_refused)) in enumerate(_of_persons().items()):
        # One feed in every form, the others in one after the other: what unpacks is the same for all.
        forms = list(FORMS) if feed == IN_EVERY_FORM else [list(FORMS)[number % len(FORMS)]]
        accepted |= {(feed, f"records{ending}"): FORMS[ending](content) for ending in forms}
        refused[feed, "refused.csv.gz"] = gzip.compress(of_refused)
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


def _zstd(content: bytes) -> bytes:
    target = pa.BufferOutputStream()
    with pa.CompressedOutputStream(target, "zstd") as stream:
        stream.write(content)
    return bytes(target.getvalue())


def _parquet(content: bytes) -> bytes:
    """The records of a file whose every line is whole, as text columns."""
    head, *body = csv.reader(io.StringIO(content.decode()))
    whole = [line for line in body if len(line) == len(head)]
    columns = [[cell or None for cell in cells] for cells in zip(*whole, strict=True)]
    target = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns, names=head), target)
    return target.getvalue()


FORMS: dict[str, Callable[[bytes], bytes]] = {
    ".csv": lambda content: content,
    ".csv.gz": gzip.compress,
    ".csv.zst": _zstd,
    ".parquet": _parquet,
}


def _of_persons() -> dict[str, tuple[bytes, bytes]]:
    """Of each person-level feed a file with a person in it who must not be told, and one that is refused for a column.

    The person stands in an accepted row, under the number with spaces in another, and in rows rejected at each stage
    of reading: a line cut short, a value not of its type, a code, a check digit, two that contradict each other.
    """
    files = {}
    for sample in person_samples():
        names = [str(name) for name in sample.table.columns]
        rows = [dict(zip(names, map(str, row), strict=True)) for row in sample.table.rows]
        own = names[sample.table.key] if sample.feed != "data_opt_outs" else "nhs_number"
        known = {name: mark for name, mark in IDENTITY.items() if name in names}
        if "hospital_provider_spell_number" in names:
            known["hospital_provider_spell_number"] = SPELL
        if "ec_chief_complaint_snomed_ct" in names:
            known["ec_chief_complaint_snomed_ct"] = COMPLAINT
        person = rows[0] | known
        if own not in ("nhs_number", "hospital_provider_spell_number"):
            person[own] = RECORD
        event = next(name for name in reversed(names) if name.endswith("_date") and person[name])
        spaced = person | {"nhs_number": "999 081 7464", "record_version": "2"}
        if "postcode_of_usual_address" in names:
            spaced["postcode_of_usual_address"] = "ZZ977KV"
        rejected = [
            person | {event: "KANREJECTED"},
            person | {"update_type": "7"},
            person | {"nhs_number": WRONG_NUMBER},
            person | {"nhs_number": "999 081 7468"},
            person | {"record_version": "3"},
            person | {"record_version": "3", event: "2020-04-11"},
        ]
        lines = _csv(names, [*rows[1:], person, spaced, *rejected])
        lines += ",".join(["2020-05-01", "1", "9", CUT_LINE, *IDENTITY.values(), *names]).encode() + b"\n"
        too_wide = _csv([*names, "ward"], [{**row, "ward": CUT_LINE} for row in (*rows, person)])
        files[sample.feed] = (lines, too_wide)
    return files


def _csv(names: list[str], rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
