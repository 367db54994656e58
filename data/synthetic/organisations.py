"""What the synthetic England knows of one organisation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from data.synthetic.geography import Icb, Region

Kind = Literal["acute", "specialist", "community", "site", "practice", "unlisted", "ambulance", "dormant"]
Level = Literal["trust", "site", "gp_practice", "other"]


@dataclass(frozen=True)
class Organisation:
    """One organisation as ODS would list it, or as its own returns name it when no list holds it."""

    code: str
    name: str
    kind: Kind
    level: Level
    region: Region
    icb: Icb | None = None
    place: str = ""
    opened: dt.date | None = None
    closed: dt.date | None = None
    parent_code: str | None = None
    parent_name: str | None = None

    @property
    def upper_name(self) -> str:
        """The name as statistical returns print it."""
        return self.name.upper().replace("\u00c9", "E")


@dataclass(frozen=True)
class Practice(Organisation):
    """A row of the GP practice list; `pcn_code` is None where the practice hierarchy has no row."""

    status: str = "A"
    setting: str = "4"
    pcn_code: str | None = None
    pcn_name: str | None = None
