"""From a published cell back to what it is made of: organisations, published cells, files, checks, rules, legal basis.

Nothing is computed a second time: the row is the release's, the organisations are those of the mart's own SQL
(`<mart>_members`), what a metric is made of stands in mart `metric`, and every published cell in `observation`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from pipelines.adapters import catalogue, releases
from pipelines.adapters.cells import Cells, Row, project_vars
from pipelines.adapters.landing import Held
from pipelines.domain.refusals import printable
from pipelines.settings import Settings

OBSERVATION = "observation"
GRAIN_OF_OBSERVATION = ("metric_id", "org_code", "period_start", "period_end", "known_from")
OF_A_METRIC = (
    "metric_id",
    "metric_name",
    "kind",
    "unit",
    "definition",
    "definition_version",
    "valid_from",
    "scope",
    "scope_change",
    "source",
)
OF_A_FIGURE = ("value", "status", "status_reason")
WITHOUT_FIGURE = "no figure in the newest publication"


class NoSuchCell(Exception):
    """The question names no cell, or more than one; one line that says what to change."""


class Explainer:
    """Explains cells of the release that is served; one connection for many questions."""

    def __init__(self, here: Settings) -> None:
        """Open the release. Raises `NoSuchCell` when nothing is published."""
        self.here = here
        try:
            self.cells = Cells(here)
        except releases.NoRelease as none:
            raise NoSuchCell(str(none)) from None
        variables = project_vars()
        self.subjects: dict[str, Row] = variables["subjects"]
        self.schemas: dict[str, str] = variables["organisation_views"]
        self.nation: str = variables["nation"]

    def explain(self, mart: str, key: dict[str, str], view: str = "as_reported") -> Row:
        """Everything behind one row of a subject mart or of `observation`.

        `key` holds columns and their values as text; it must leave one row. Gives the row, its measures with their
        metrics, the organisations in it and those expected but without a figure, the published cells, the files that
        hold them with checks and legal basis, and the release. Raises `NoSuchCell`.
        """
        row = self._row(mart, key, view)
        if mart == OBSERVATION:
            measures, members, figures = self._of_observation(row)
        else:
            measures, members, figures = self._of_subject(mart, row, view)
        published = [figure for figure in figures if self.cells.metrics[figure["metric_id"]]["is_base"]]
        release = self.cells.release()
        day = release["published_at"].date()
        files = [self._file(batch, feed, day) for batch, feed in self._batches(published)]
        codes = sorted({member["org_code"] for member in members} | {row["org_code"]})
        return {
            "mart": mart,
            "view": view,
            "row": row,
            "measures": measures,
            "organisations": members,
            "cells": [self._cell(figure) for figure in published],
            "files": files,
            "checks": self.cells.checks([file["sha256"] for file in files], codes),
            "release": {name: release[name] for name in ("release_id", "published_at", "code_version")},
        }

    def _row(self, mart: str, key: dict[str, str], view: str) -> Row:
        if view not in self.schemas:
            raise NoSuchCell(f"--view {printable(view)}: say {', '.join(self.schemas)}")
        explained = [OBSERVATION, *self.subjects]
        if mart not in explained:
            known = "holds records, not figures" if mart in self.cells.marts() else "is no mart"
            raise NoSuchCell(f"{printable(mart)} {known}; marts with figures: {', '.join(explained)}")
        if mart == OBSERVATION and view != "as_reported":
            raise NoSuchCell(f"{mart} has organisations as reported only: leave --view out")
        types = self.cells.columns(self.schemas[view], mart)
        if not types:
            raise NoSuchCell(f"the release that is served has no {mart} yet: run `datastore refresh`")
        unknown = [column for column in key if column not in types]
        if unknown:
            raise NoSuchCell(f"{mart} has no column {printable(unknown[0])}; columns: {', '.join(types)}")
        if not key:
            raise NoSuchCell(f"say which row of {mart}: {' '.join(f'{name}=VALUE' for name in self.grain(mart))}")
        rows = self.cells.matching(self.schemas[view], mart, types, key)
        asked = " ".join(f"{column}={printable(value)}" for column, value in key.items())
        if not rows:
            raise NoSuchCell(f"no such cell: {mart} has no row with {asked}")
        if len(rows) > 1:
            lacks = [name for name in self.grain(mart) if len({row[name] for row in rows}) > 1]
            raise NoSuchCell(f"{len(rows)} rows of {mart} have {asked}: say also {', '.join(lacks)}")
        return rows[0]

    def grain(self, mart: str) -> tuple[str, ...]:
        """The columns that name one row of a mart."""
        if mart == OBSERVATION:
            return GRAIN_OF_OBSERVATION
        subject = self.subjects[mart]
        grain = (subject["period"]["column"], "org_code", subject.get("dimension"), "basis")
        return tuple(name for name in grain if name in self.cells.columns("marts", mart))

    def _of_observation(self, row: Row) -> tuple[list[Row], list[Row], list[Row]]:
        metric = self.cells.metrics[row["metric_id"]]
        figure = {name: row[name] for name in OF_A_FIGURE}
        member = {
            "org_code": row["org_code"],
            "org_name": self.cells.name(row["org_code"]),
            "counted_as": row["org_code"],
            "is_expected": True,
            "is_reported": row["value"] is not None,
            "why_not": self._why(row),
            "figures": {metric["measure"]: figure},
        }
        parts = [row]
        if not metric["is_base"]:
            found = self.cells.figures(
                _base(metric), [row["org_code"]], ("period_end", row["period_end"]), row["known_from"]
            )
            parts = [part for part in found if part["period_start"] == row["period_start"]]
        divided = (row["numerator"], row["denominator"]) if metric["kind"] == "ratio" else ()
        told = self._measure(metric, row["period_start"], row["value"], [member], metric["measure"], divided)
        return [told], [member], parts

    def _of_subject(self, mart: str, row: Row, view: str) -> tuple[list[Row], list[Row], list[Row]]:
        subject = self.subjects[mart]
        dimension = row[subject["dimension"]] if subject.get("dimension") else "all"
        basis = row.get("basis") or subject["bases"][0]
        rates: dict[str, list[str]] = subject.get("rates", {})
        measured = [*subject["measures"], *(part for parts in rates.values() for part in parts)]
        metrics = {
            measure: self.cells.metrics[metric_id]
            for measure in measured
            if (metric_id := f"{measure}__{dimension}__{basis}") in self.cells.metrics
        }
        period = (f"period_{subject['period']['dated']}", row[subject["period"]["column"]])
        found = self.cells.members(self.schemas[view], mart, dict([period]) | {"dimension": dimension, "basis": basis})
        adds_up = all(metric["adds_over_organisations"] for metric in metrics.values() if metric["kind"] != "ratio")
        counted = [member for member in found if self._counts(member, row["org_code"], adds_up)]
        wanted = {metric["metric_id"] for metric in metrics.values()}
        wanted |= {part for metric in metrics.values() for part in _base(metric)}
        figures = self.cells.figures(wanted, [member["org_code"] for member in counted], period)
        by_cell = {(figure["metric_id"], figure["org_code"]): figure for figure in figures}
        members = [self._member(member, metrics, by_cell) for member in counted]
        measures = [
            self._measure(
                metric,
                period[1],
                row[measure],
                members,
                rates[measure][1] if measure in rates else measure,
                [_shown_or_summed(row, members, part) for part in rates.get(measure, [])],
            )
            for measure, metric in metrics.items()
            if measure in subject["measures"]
        ]
        return measures, members, figures

    def _counts(self, member: Row, org_code: str, adds_up: bool) -> bool:
        """Whether an organisation counts in the row of a code: its own, one that it is counted as, one above it."""
        codes = [member["org_code"], member["counted_as"]]
        if adds_up:
            codes += [member["icb_code"], member["region_code"], self.nation]
        return org_code in codes

    def _member(self, member: Row, metrics: dict[str, Row], by_cell: dict[tuple[str, str], Row]) -> Row:
        code = member["org_code"]
        own = {measure: by_cell.get((metric["metric_id"], code)) for measure, metric in metrics.items()}
        lacking = next((figure for figure in own.values() if figure and figure["value"] is None), None)
        is_reported = bool(member["orgs_reported"])
        return {
            "org_code": code,
            "org_name": self.cells.name(code),
            "counted_as": member["counted_as"],
            "is_expected": bool(member["orgs_expected"]),
            "is_reported": is_reported,
            "why_not": None if is_reported else self._why(lacking),
            "figures": {
                measure: {name: figure[name] for name in OF_A_FIGURE} for measure, figure in own.items() if figure
            },
        }

    @staticmethod
    def _why(figure: Row | None) -> str | None:
        if figure is None:
            return WITHOUT_FIGURE
        if figure["value"] is not None:
            return None
        reason = figure["status_reason"]
        return f"{figure['status']} ({reason})" if reason else str(figure["status"])

    def _measure(
        self, metric: Row, day: dt.date, value: Any, members: list[Row], counts: str, divided: Sequence[Any] = ()
    ) -> Row:
        """A measure of the row as it was defined on the day.

        An organisation is in it when it has a figure of the measure `counts`: of a ratio the denominator. `divided`
        are the numerator and the denominator of a ratio.
        """
        defined = self.cells.definition(metric["metric_id"], day)
        told: Row = {"measure": metric["measure"], "value": value, **{name: defined[name] for name in OF_A_METRIC}}
        for part, amount in zip(("numerator", "denominator"), divided, strict=False):
            told[part] = {"metric_id": metric[f"{part}_metric_id"], "value": amount}
        figures = [(member, member["figures"].get(counts)) for member in members]
        return {
            **told,
            "made_of": _base(metric),
            "organisations_in": [
                member["org_code"] for member, figure in figures if figure and figure["value"] is not None
            ],
            "organisations_out": [
                {"org_code": member["org_code"], "why": why}
                for member, figure in figures
                if (why := self._why(figure)) and (figure or member["is_expected"])
            ],
        }

    def _batches(self, figures: Iterable[Row]) -> list[tuple[str, str]]:
        """Each file with its feed."""
        return sorted({(figure["batch"], self.cells.metrics[figure["metric_id"]]["feed"]) for figure in figures})

    def _cell(self, figure: Row) -> Row:
        kept = ("metric_id", "org_code", "period_start", "period_end", "value", "status", "status_reason", "known_from")
        return {
            "feed": self.cells.metrics[figure["metric_id"]]["feed"],
            "sha256": figure["batch"],
            "sheet": figure["source_sheet"],
            "row": figure["source_row"],
            "column": figure["source_column"],
            **{name: figure[name] for name in kept},
        }

    def _file(self, batch: str, feed: str, day: dt.date) -> Row:
        held = Held(feed, batch, self.here.landing / feed / batch, self.here)
        manifest = held.manifest if held.folder.exists() else {}
        told: Row = {"feed": feed, "sha256": batch}
        told |= {
            name: manifest.get(name)
            for name in ("file_name", "published_on", "known_from", "received_at", "received_by", "layout")
        }
        return {**told, **_governance(feed, manifest.get("agreement"), day)}


@cache
def _governance(feed: str, held_under: str | None, day: dt.date) -> Row:
    """Under which agreement and on which legal basis a feed, or a batch of it, was held on the day of the release."""
    agreement, basis = catalogue.register().require_in_force(catalogue.feed(feed), day, held_under)
    return {
        "agreement": agreement.id,
        "clause": agreement.clause,
        "controller": agreement.controller,
        "purpose": agreement.purpose,
        "legal_basis": basis.title,
        "citation": basis.citation,
    }


def _base(metric: Row) -> list[str]:
    """The published metrics that a metric is made of."""
    return [metric["metric_id"]] if metric["is_base"] else str(metric["components"]).split()


def _shown_or_summed(row: Row, members: list[Row], measure: str) -> Any:
    """What a row shows of a measure, or what its organisations' figures add up to where it has no such column."""
    if measure in row:
        return row[measure]
    values = [member["figures"][measure]["value"] for member in members if measure in member["figures"]]
    reported = [value for value in values if value is not None]
    return sum(reported) if reported else None
