"""The organisation lists: ODS trusts (spring and autumn form) and GP practices, sites, practice hierarchy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from data.synthetic.documents import Cell, DelimitedFile, Dialect, Table
from data.synthetic.england import England
from data.synthetic.events import SUCCESSIONS, parent_before
from data.synthetic.geography import ICBS, Icb
from data.synthetic.organisations import Organisation, Practice

SPRING = dt.date(2020, 2, 15)
# A list re-saved by hand: its last line came in mixed case and without an address.
TYPED_BY_HAND = "ZE2"
WALES_OFFICE = "Q99"
PRIMARY_CARE_TRUSTS = (dt.date(2002, 4, 1), dt.date(2013, 3, 31))
SITE_COLUMNS = (
    "OrganisationID",
    "OrganisationCode",
    "OrganisationType",
    "SubType",
    "Sector",
    "OrganisationStatus",
    "IsPimsManaged",
    "OrganisationName",
    "Address1",
    "Address2",
    "Address3",
    "City",
    "County",
    "Postcode",
    "Latitude",
    "Longitude",
    "ParentODSCode",
    "ParentName",
    "Phone",
    "Email",
    "Website",
    "Fax",
)
HIERARCHY_COLUMNS = (
    "PUBLICATION",
    "EXTRACT_DATE",
    "PRACTICE_CODE",
    "PRACTICE_NAME",
    "PRACTICE_POSTCODE",
    "PCN_CODE",
    "PCN_NAME",
    "ONS_CCG_CODE",
    "CCG_CODE",
    "CCG_NAME",
    "ONS_STP_CODE",
    "STP_CODE",
    "STP_NAME",
    "ONS_COMM_REGION_CODE",
    "COMM_REGION_CODE",
    "COMM_REGION_NAME",
)


def ods_files(england: England) -> list[DelimitedFile]:
    """Every organisation list."""
    return [
        _trusts_spring(england),
        _trusts_autumn(england),
        _practices(england),
        _sites(england, "Hospital-revised-010420.csv", parent_before),
        _sites(england, "Hospital-revised-011220.csv", lambda site: site.parent_code),
        _hierarchy(england),
        _successions(),
        _memberships(england),
    ]


def _trusts_spring(england: England) -> DelimitedFile:
    rows = [
        [*_trust(_as_known(trust, SPRING), number, _local_office(trust.icb)), "", "", ""]
        for number, trust in enumerate(england.trusts)
        if trust.opened is None or trust.opened <= SPRING
    ]
    dialect = Dialect(line_end="\r\n", quotes_all=True, has_header=False)
    return DelimitedFile("ods_trusts", "etr.csv", Table(list(range(1, 28)), rows), dialect)


def _as_known(trust: Organisation, day: dt.date) -> Organisation:
    """The trust as a list of that day has it: a closure to come is not there."""
    return replace(trust, closed=None) if trust.closed and trust.closed > day else trust


def _trusts_autumn(england: England) -> DelimitedFile:
    rows = [
        _trust(trust, number, trust.icb.code if trust.icb else WALES_OFFICE)
        for number, trust in enumerate(england.trusts)
    ]
    rows.sort(key=lambda row: row[0] == TYPED_BY_HAND)
    rows[-1] = [*rows[-1][:4], *[""] * 6, rows[-1][10], *[""] * 13]
    dialect = Dialect(line_end="\r\n", has_header=False, ends_with_line_end=False)
    return DelimitedFile("ods_trusts", "etr_autumn.csv", Table(list(range(1, 25)), rows), dialect)


def _trust(trust: Organisation, number: int, geography: str) -> list[Cell]:
    """The first 24 columns of a trust's row."""
    return [
        trust.code,
        trust.name,
        trust.region.code,
        geography,
        f"{trust.place.upper()} HOUSE",
        f"{number + 1} HOSPITAL ROAD",
        "",
        trust.place.upper(),
        "",
        _postcode(number),
        _compact(trust.opened),
        _compact(trust.closed),
        *[""] * 9,
        "0",
        "",
        trust.region.office_letter,
    ]


def _practices(england: England) -> DelimitedFile:
    rows: list[list[Cell]] = []
    for number, practice in enumerate(england.practices):
        ccg = practice.icb.ccg_code if practice.icb else ""
        rows.append(
            [
                practice.code,
                practice.name,
                practice.region.code,
                _local_office(practice.icb),
                "THE HEALTH CENTRE",
                f"{number + 1} SURGERY LANE",
                practice.place.upper(),
                "",
                "",
                _postcode(number),
                _compact(practice.opened),
                _compact(practice.closed),
                practice.status,
                "B",
                ccg,
                "20130401",
                _compact(practice.closed),
                _phone(number),
                "",
                "",
                "",
                "0",
                "",
                ccg,
                "",
                practice.setting,
                "",
            ]
        )
    dialect = Dialect(line_end="\r\n", quotes_all=True, has_header=False)
    return DelimitedFile("ods_gp_practices", "epraccur.csv", Table(list(range(1, 28)), rows), dialect)


def _sites(england: England, name: str, parent_of: Callable[[Organisation], str | None]) -> DelimitedFile:
    """A list of sites with the parent that `parent_of` gives each."""
    trusts = {trust.code: trust for trust in england.trusts}
    names = {site.parent_code: site.parent_name for site in england.sites}
    rows: list[list[Cell]] = [
        [
            str(90000 + number),
            site.code,
            "Hospital",
            "Hospital" if number % 5 else "UNKNOWN",
            "NHS Sector" if parent_of(site) in trusts else "Independent Sector",
            "Visible",
            "True",
            site.name,
            "",
            f"{number + 1} Hospital Road",
            "",
            site.place,
            "",
            _postcode(number),
            # Positions in the open North Sea, where no hospital stands.
            f"{55 + number / 100:.2f}",
            f"{2 + number / 100:.2f}",
            parent_of(site),
            _parent_name(parent_of(site), trusts, names),
            _phone(number),
            "",
            "",
            "",
        ]
        for number, site in enumerate(england.sites)
    ]
    dialect = Dialect(delimiter="\u00ac", encoding="latin-1")
    return DelimitedFile("ods_sites", name, Table(list(SITE_COLUMNS), rows, key=1), dialect)


def _parent_name(
    parent: str | None, trusts: dict[str, Organisation], names: dict[str | None, str | None]
) -> str | None:
    return trusts[parent].name.title().replace("Nhs", "NHS") if parent in trusts else names[parent]


def _successions() -> DelimitedFile:
    """The list of trust mergers, with a byte order mark and no line end after its last line."""
    rows: list[list[Cell]] = [[one.old, one.new, one.day.isoformat()] for one in SUCCESSIONS]
    dialect = Dialect(line_end="\r\n", encoding="utf-8-sig", ends_with_line_end=False)
    table = Table(["trust_code_old", "trust_code_new", "from_date"], rows)
    return DelimitedFile("ods_succession", "trust_mergers.csv", table, dialect)


def _memberships(england: England) -> DelimitedFile:
    """Practices in commissioning groups (from 2013) and primary care trusts (before); the third moved in 2020."""
    rows: list[list[Cell]] = []
    for number, practice in enumerate(england.practices):
        if practice.icb is None:
            continue
        closed = _compact(practice.closed)
        if number == 2:
            elsewhere = ICBS[(ICBS.index(practice.icb) + 7) % len(ICBS)].ccg_code
            rows.append([practice.code, elsewhere, "W", "20130401", "20200331", "0"])
            rows.append([practice.code, practice.icb.ccg_code, "W", "20200401", closed, "0"])
        else:
            rows.append([practice.code, practice.icb.ccg_code, "W", "20130401", closed, "0"])
        if practice.opened and practice.opened < PRIMARY_CARE_TRUSTS[1]:
            begin, end = (_compact(day) for day in PRIMARY_CARE_TRUSTS)
            rows.append([practice.code, f"5Z{ICBS.index(practice.icb) % 9 + 1}", "W", begin, end, "0"])
    dialect = Dialect(line_end="\r\n", quotes_all=True, has_header=False)
    return DelimitedFile("ods_practice_membership", "epcmem.csv", Table(list(range(1, 7)), rows), dialect)


def _hierarchy(england: England) -> DelimitedFile:
    rows = [
        _hierarchy_row(practice, practice.icb, number)
        for number, practice in enumerate(england.practices)
        if practice.icb and practice.pcn_code
    ]
    return DelimitedFile(
        "ods_practice_hierarchy", "gp-reg-pat-prac-map.csv", Table(list(HIERARCHY_COLUMNS), rows, key=2)
    )


def _hierarchy_row(practice: Practice, icb: Icb, number: int) -> list[Cell]:
    return [
        "GP_PRAC_PAT_LIST",
        "01-Sep-20",
        practice.code,
        practice.name,
        _postcode(number),
        practice.pcn_code,
        practice.pcn_name,
        icb.ccg_ons_code,
        icb.ccg_code,
        icb.ccg_name,
        icb.ons_code,
        icb.code,
        icb.name,
        icb.region.ons_code,
        icb.region.code,
        icb.region.name,
    ]


def _local_office(icb: Icb | None) -> str:
    return icb.local_office if icb else WALES_OFFICE


def _postcode(number: int) -> str:
    return f"ZZ{number % 20 + 1} {number % 9 + 1}ZZ"


def _phone(number: int) -> str:
    """A number from the range that is kept free for drama."""
    return f"01632 960{number:03d}"


def _compact(day: dt.date | None) -> str:
    return f"{day:%Y%m%d}" if day else ""
