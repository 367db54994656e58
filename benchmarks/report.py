"""Results, as JSON to compare with another day's, and as tables for people."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Cost

GOALS = Path(__file__).with_name("goals.yaml")
GIGABYTE = 1e9
VERSIONS = ("duckdb", "polars", "pyarrow", "dbt-core", "dbt-duckdb", "dagster", "great-expectations")


@dataclass
class Results:
    """What one run found: costs by workload, ratios by goal, equalities, and what was left out and why."""

    scale: str
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    costs: dict[str, Cost] = field(default_factory=dict)
    found: dict[str, float] = field(default_factory=dict)
    equal: dict[str, dict[str, int]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """Everything, with the machine and the versions it was found on."""
        goals = _goals()
        return {
            "scale": self.scale,
            "measured_at": self._began.isoformat(timespec="seconds"),
            "machine": {
                "cores": os.cpu_count(),
                "memory_gb": round(psutil.virtual_memory().total / GIGABYTE, 1),
                "processor": _processor(),
                "python": platform.python_version(),
                "load_before_and_after": self._load,
            },
            "versions": {name: importlib.metadata.version(name) for name in VERSIONS},
            "rows": self.rows,
            "costs": {
                name: {key: _short(value) for key, value in asdict(cost).items()} for name, cost in self.costs.items()
            },
            "goals": {
                name: {**goals[name], "found": _short(value), "verdict": verdict(goals[name], value, self.scale)}
                for name, value in self.found.items()
            },
            "differing_rows": self.equal,
            "left_out": self.left_out,
        }

    def __post_init__(self) -> None:
        self._load = [_load()]
        self._began = dt.datetime.now(dt.UTC)

    def write(self, folder: Path) -> Path:
        """Keep what is there so far as JSON, one file a run; returns the file."""
        self._load = [*self._load[:1], _load()]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self._began:%Y%m%dT%H%M%SZ}-{self.scale}.json"
        path.write_text(json.dumps(self.as_record(), indent=1) + "\n")
        return path

    def show(self, console: Console) -> None:
        """Print the tables: goals, what everything cost, what was left out."""
        goals = _goals()
        table = Table("", "found", "goal", "", title=f"Ratios inside this run ({self.scale})", title_justify="left")
        for name in goals:
            if name in self.found:
                table.add_row(
                    goals[name]["says"],
                    _with_unit(self.found[name], goals[name]["unit"]),
                    _limit(goals[name]),
                    verdict(goals[name], self.found[name], self.scale),
                )
        console.print(table)
        costs = Table("", "CPU s", "wall s", "peak MB", title="What each cost", title_justify="left")
        for name, cost in self.costs.items():
            costs.add_row(name, f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{cost.peak / 1e6:,.0f}")
        console.print(costs)
        for name, tables in self.equal.items():
            console.print(f"{name}: {sum(tables.values())} rows differ in {len(tables)} tables")
        for name, why in self.left_out.items():
            console.print(f"[yellow]left out[/] {name}: {why}")


def verdict(goal: dict[str, Any], found: float, scale: str) -> str:
    """Met, or missed by how much; where the goal is of another size, that too."""
    if "most" not in goal and "least" not in goal:
        return ""
    limit = goal.get("most", goal.get("least"))
    over = found - limit if "most" in goal else limit - found
    if over <= 0:
        said = "met, with the stretch" if found <= goal.get("stretch", float("-inf")) else "met"
    else:
        said = f"missed by {over / limit:.0%}" if limit else f"missed by {over:g}"
    return said if goal["of"] in ("any", scale) else f"{said} (a goal of {goal['of']} size)"


def _goals() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load(GOALS.read_text()))


def _limit(goal: dict[str, Any]) -> str:
    if "most" in goal:
        return f"<= {goal['most']}"
    return f">= {goal['least']}" if "least" in goal else ""


def _with_unit(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if unit == "rows" else f"{value:,.2f} {unit}"


def _short(value: float) -> float:
    return round(value, 4)


def _load() -> float:
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
