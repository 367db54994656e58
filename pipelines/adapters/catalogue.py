"""Reading the project's own declarations: feeds, governance records, suites and reference seeds."""

from __future__ import annotations

import csv
import importlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipelines import settings
from pipelines.adapters.expectations import load_suite
from pipelines.domain.feeds import Feed, Known, Reading
from pipelines.domain.gates import Suite
from pipelines.domain.governance import Register, Ungoverned
from pipelines.domain.reading.figures import read_figures
from pipelines.domain.reading.sheets import read_sheets
from pipelines.domain.reading.tables import read_rows
from pipelines.domain.refusals import printable

Reader = Callable[[bytes, Feed, Known, str], Reading]


class UnknownFeed(Exception):
    """No folder of that name under pipelines/defs/feeds."""


@cache
def feeds() -> dict[str, Feed]:
    """Every declared feed by name. Raises `Ungoverned` when one has no whole governance record."""
    declared = [feed(path.parent.name) for path in sorted(settings.FEEDS.glob("*/defs.yaml"))]
    for one in declared:
        register().governing(one)
    return {one.feed: one for one in declared}


def feed(name: str) -> Feed:
    """One feed from its `defs.yaml`; raises `UnknownFeed`."""
    path = settings.FEEDS / name / "defs.yaml"
    if not re.fullmatch(r"[a-z0-9_]+", name) or not path.is_file():
        known = ", ".join(sorted(path.parent.name for path in settings.FEEDS.glob("*/defs.yaml")))
        raise UnknownFeed(f"unknown feed {printable(name)}; feeds: {known}")
    return Feed(**yaml.safe_load(path.read_text())["attributes"])


def reader(feed: Feed) -> Reader:
    """The feed's own reader where its folder has one, else the plain reader of its kind."""
    if (settings.FEEDS / feed.feed / "reader.py").exists():
        return importlib.import_module(f"pipelines.defs.feeds.{feed.feed}.reader").read  # type: ignore[no-any-return]
    if feed.kind == "organisations":
        return read_rows
    return read_sheets if feed.format == "workbook" else read_figures


def suite(feed: str) -> Suite:
    """The landing rules of a feed."""
    return load_suite(suite_path(feed))


def suite_path(feed: str) -> Path:
    """Where the landing rules of a feed stand."""
    return settings.EXPECTATIONS / "landing" / f"{feed}.yaml"


@cache
def register() -> Register:
    """The governance records. Raises `Ungoverned` when they cannot be read."""
    records: dict[str, Any] = {}
    for name in ("agreements", "legal_bases"):
        records |= yaml.safe_load((settings.GOVERNANCE / f"{name}.yaml").read_text())
    try:
        return Register(**records)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Ungoverned(f"governance/*.yaml: {where}: {error.errors()[0]['msg']}") from None


def known() -> Known:
    """What readers lean on, from the seeds that dbt uses too."""
    regions = {row["alias"]: row["region_code"] for row in _seed("region_aliases")}
    regions |= {row["region_name"].upper(): row["region_code"] for row in _seed("regions")}
    icbs = {row["alias"]: row["icb_code"] for row in _seed("icb_aliases")}
    icbs |= {row["icb_name"].upper(): row["icb_code"] for row in _seed("icbs")}
    return Known(
        regions=regions,
        icbs=icbs,
        icb_codes=frozenset(icbs.values()),
        received_on=settings.today(),
    )


def _seed(name: str) -> list[dict[str, str]]:
    path = next((settings.DBT_PROJECT / "seeds").rglob(f"{name}.csv"))
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
