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

from pipelines import settings
from pipelines.adapters.expectations import load_suite
from pipelines.adapters.files import read_yaml
from pipelines.domain.feeds import Feed, Known, Reading
from pipelines.domain.gates import Suite
from pipelines.domain.governance import FILES, Register, Ungoverned, read
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
    return Feed(**read_yaml(path)["attributes"])


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


def register() -> Register:
    """The governance records as they lie in their folder now. Raises `Ungoverned` when they are not whole."""
    folder = settings.governance()
    return _register(folder, tuple(_state(folder / f"{name}.yaml") for name in FILES))


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


@cache
def _register(folder: Path, states: tuple[tuple[int, int] | None, ...]) -> Register:
    """The records of a folder: read again when one of its files changed."""
    records: dict[str, Any] = {}
    for name, state in zip(FILES, states, strict=True):
        if state is None:
            raise Ungoverned(f"governance/{name}.yaml is not in {folder}")
        try:
            records[name] = read_yaml(folder / f"{name}.yaml")
        except yaml.MarkedYAMLError as error:
            line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
            raise Ungoverned(f"governance/{name}.yaml{line}: not YAML: {error.problem}") from None
    return read(records, {path.parent.name for path in settings.FEEDS.glob("*/defs.yaml")})


def known() -> Known:
    """What readers lean on, from the seeds that dbt uses too."""
    regions = {row["alias"]: row["region_code"] for row in seed("region_aliases")}
    regions |= {row["region_name"].upper(): row["region_code"] for row in seed("regions")}
    icbs = {row["alias"]: row["icb_code"] for row in seed("icb_aliases")}
    icbs |= {row["icb_name"].upper(): row["icb_code"] for row in seed("icbs")}
    return Known(
        regions=regions,
        icbs=icbs,
        icb_codes=frozenset(icbs.values()),
        received_on=settings.today(),
    )


def seed(name: str) -> list[dict[str, str]]:
    """The rows of one of dbt's seeds."""
    path = next((settings.DBT_PROJECT / "seeds").rglob(f"{name}.csv"))
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
