"""Public facts that the layouts name: NHS England's regions, and fifteen STP/ICB areas with their offices.

Names and codes are those in use in 2020 (regions from April 2019, STPs from April 2020); everything that
stands below an area in the synthetic England is invented.
"""

from __future__ import annotations

from dataclasses import dataclass

NATION_CODE = "E92000001"


@dataclass(frozen=True)
class Region:
    """An NHS England region, with its ONS code and the government-office letter that ODS gives its trusts."""

    code: str
    name: str
    ons_code: str
    office_letter: str


@dataclass(frozen=True)
class Icb:
    """An STP, later ICB, area; `local_office` and `sub_region` are what lists named before April 2020."""

    code: str
    name: str
    ons_code: str
    region: Region
    local_office: str
    sub_region: str | None

    @property
    def ccg_code(self) -> str:
        """Code of the one fictional clinical commissioning group of the area."""
        return f"9Z{'ABCDEFGHJKLMNPQ'[ICBS.index(self)]}"

    @property
    def ccg_name(self) -> str:
        """Name of that group."""
        return f"NHS Fictional {self.ccg_code} CCG"

    @property
    def ccg_ons_code(self) -> str:
        """ONS-like code of that group."""
        return f"E38999{ICBS.index(self):03d}"


LONDON = Region("Y56", "London", "E40000003", "H")
SOUTH_WEST = Region("Y58", "South West", "E40000006", "K")
SOUTH_EAST = Region("Y59", "South East", "E40000005", "J")
MIDLANDS = Region("Y60", "Midlands", "E40000008", "F")
EAST = Region("Y61", "East of England", "E40000007", "G")
NORTH_WEST = Region("Y62", "North West", "E40000010", "B")
NORTH_EAST = Region("Y63", "North East and Yorkshire", "E40000009", "D")
WALES = Region("W00", "Wales", "W92000004", "W")

# In the order in which the weekly workbook lists them.
REGIONS = (EAST, LONDON, MIDLANDS, NORTH_EAST, NORTH_WEST, SOUTH_EAST, SOUTH_WEST)

ICBS = (
    Icb("QRV", "North West London Health and Care Partnership", "E54000027", LONDON, "Q71", None),
    Icb("QJK", "Devon", "E54000037", SOUTH_WEST, "Q85", "SOUTH WEST SOUTH"),
    Icb("QKS", "Kent and Medway", "E54000032", SOUTH_EAST, "Q88", "KENT, SURREY AND SUSSEX"),
    Icb("QGH", "Herefordshire and Worcestershire", "E54000019", MIDLANDS, "Q77", "WEST MIDLANDS"),
    Icb("QMM", "Norfolk and Waveney Health and Care Partnership", "E54000022", EAST, "Q79", "EAST"),
    Icb(
        "QOP",
        "Greater Manchester Health and Social Care Partnership",
        "E54000007",
        NORTH_WEST,
        "Q83",
        "GREATER MANCHESTER",
    ),
    Icb("QF7", "South Yorkshire and Bassetlaw", "E54000009", NORTH_EAST, "Q72", "YORKSHIRE AND HUMBER"),
    Icb("QKK", "Our Healthier South East London", "E54000030", LONDON, "Q71", None),
    Icb("QR1", "Gloucestershire", "E54000043", SOUTH_WEST, "Q86", "SOUTH WEST NORTH"),
    Icb(
        "QRL",
        "Hampshire and the Isle of Wight",
        "E54000042",
        SOUTH_EAST,
        "Q87",
        "HAMPSHIRE, ISLE OF WIGHT AND THAMES VALLEY",
    ),
    Icb("QJ2", "Joined Up Care Derbyshire", "E54000012", MIDLANDS, "Q76", "NORTH MIDLANDS"),
    Icb("QUE", "Cambridgeshire and Peterborough", "E54000021", EAST, "Q79", "EAST"),
    Icb("QYG", "Cheshire and Merseyside", "E54000008", NORTH_WEST, "Q75", "CHESHIRE AND MERSEYSIDE"),
    Icb("QHM", "Cumbria and North East", "E54000050", NORTH_EAST, "Q74", "CUMBRIA AND NORTH EAST"),
    Icb("QK1", "Leicester, Leicestershire and Rutland", "E54000015", MIDLANDS, "Q78", "CENTRAL MIDLANDS"),
)
