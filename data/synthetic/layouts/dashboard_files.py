"""The dashboard's files: ingestion files (one JSON object a metric) and exports (CSV, newest first)."""

from __future__ import annotations

import copy
import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import Any

from data.synthetic.dashboard_activity import (
    ADMITTED,
    EXPORTED,
    FEED,
    HEADLINE,
    OLDER,
    OVER_60,
    REFRESHED,
    UNDER_60,
    UNITED_KINGDOM,
    YOUNGER,
)
from data.synthetic.documents import Cell, DelimitedFile, Dialect, Document, Table
from data.synthetic.geography import NATION_CODE
from data.synthetic.publication import Publication

POINT = ("date", "metric_value", "embargo", "is_public")


@dataclass
class IngestionFile:
    """One metric of one area: what is said once, and a list of points as a table."""

    feed: str
    name: str
    said: dict[str, Any]
    points: str
    table: Table

    def tables(self) -> dict[str, Table]:
        """The points, under the empty name."""
        return {"": self.table}

    def copy(self) -> IngestionFile:
        """A copy whose table can be edited."""
        return replace(self, said=copy.deepcopy(self.said), table=self.table.copy())

    def render(self) -> bytes:
        """The bytes of the file: no spaces, the day of making last."""
        points = [
            {str(name): _plain(cell) for name, cell in zip(self.table.columns, row, strict=True)}
            for row in self.table.rows
        ]
        told = {**self.said, self.points: points, "refresh_date": REFRESHED.isoformat()}
        return json.dumps(told, separators=(",", ":")).encode()


def _plain(cell: Cell) -> Any:
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return True if cell == "true" else cell


def dashboard_files(publications: list[Publication]) -> list[Document]:
    """Admissions and a headline as ingestion files; deaths by age and the United Kingdom as exports."""
    exported, ingested = publications
    return [_admissions(ingested), _headline(ingested), _deaths(exported), _united_kingdom(exported)]


def _said(group: str, metric: str) -> dict[str, Any]:
    return {
        "parent_theme": "infectious_disease",
        "child_theme": "respiratory",
        "topic": "COVID-19",
        "metric_group": group,
        "metric": f"COVID-19_{group}_{metric}",
        "geography_type": "Nation",
        "geography": "England",
        "geography_code": NATION_CODE,
        "age": "all",
        "sex": "all",
        "stratum": "default",
    }


def _admissions(publication: Publication) -> IngestionFile:
    days = sorted(day for metric_id, day in publication.figures if metric_id == ADMITTED)
    rows: list[list[Cell]] = [
        [
            day.isocalendar().week,
            day.isoformat(),
            publication.figures[ADMITTED, day][NATION_CODE],
            f"{REFRESHED} 17:30:00",
            "true",
        ]
        for day in days
    ]
    said = {**_said("healthcare", "admissionByDay"), "metric_frequency": "daily"}
    name = f"COVID-19_healthcare_admissionByDay_CTRY_{NATION_CODE}_all_all_default.json"
    return IngestionFile(FEED, name, said, "time_series", Table(["epiweek", *POINT], rows, key=1, figures_from=2))


def _headline(publication: Publication) -> IngestionFile:
    [week] = [start for metric_id, start in publication.figures if metric_id == HEADLINE]
    last = publication.period_end(HEADLINE, week)
    value = publication.figures[HEADLINE, week][NATION_CODE]
    rows: list[list[Cell]] = [[week.isoformat(), last.isoformat(), value, f"{REFRESHED} 17:30:00", "true"]]
    table = Table(["period_start", "period_end", *POINT[1:]], rows, figures_from=2)
    name = f"COVID-19_headline_7DayOccupiedBeds_CTRY_{NATION_CODE}_all_all_default.json"
    return IngestionFile(FEED, name, _said("headline", "7DayOccupiedBeds"), "data", table)


def _deaths(publication: Publication) -> DelimitedFile:
    """England by day and age band, newest first; the sum of seven days is not loaded."""
    days = sorted({day for _, day in publication.figures}, reverse=True)
    bands = sorted((*YOUNGER, *OLDER, UNDER_60, OVER_60))
    rows: list[list[Cell]] = [
        [
            NATION_CODE,
            "England",
            "nation",
            day.isoformat(),
            band.replace("_and_over", "+"),
            publication.figures[f"deaths__{band}__ukhsa", day][NATION_CODE],
            "",
            "",
        ]
        for day in days
        for band in bands
    ]
    columns: list[Cell] = ["areaCode", "areaName", "areaType", "date", "age", "deaths", "rollingSum", "rollingRate"]
    return DelimitedFile(FEED, f"nation_{EXPORTED}_deaths.csv", Table(columns, rows, key=3, figures_from=5))


def _united_kingdom(publication: Publication) -> DelimitedFile:
    days = sorted({day for _, day in publication.figures}, reverse=True)
    rows: list[list[Cell]] = [
        [
            day.isoformat(),
            UNITED_KINGDOM,
            "United Kingdom",
            "overview",
            publication.figures[ADMITTED, day][UNITED_KINGDOM],
        ]
        for day in days
    ]
    columns: list[Cell] = ["date", "areaCode", "areaName", "areaType", "newAdmissions"]
    table = Table(columns, rows, key=0, figures_from=4)
    return DelimitedFile(FEED, f"overview_{EXPORTED}_admissions.csv", table, Dialect(line_end="\r\n"))
