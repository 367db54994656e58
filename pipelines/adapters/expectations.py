"""The only user of Great Expectations.

Rules are stated on views (`domain/gates.py`); Great Expectations judges them on a pandas frame. Importing it costs
seconds, so it is imported once, when the first rule is judged. Values are excluded from its results; what leaves
here is counts, places and organisation codes. An exception inside an expectation is an error of ours, never a
failure of the data.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.adapters.files import read_yaml
from pipelines.domain.gates import Broken, Outcome, Rule, Suite

MOST_PLACES = 200


class GateError(Exception):
    """An expectation could not be judged; names the rule."""


def load_suite(path: Path) -> Suite:
    """The rules in a YAML file."""
    return Suite(**read_yaml(path))


def judge(suite: Suite, view_of: Callable[[Rule], pl.DataFrame], kept: Collection[str] = ()) -> list[Outcome]:
    """The outcome of every rule, in the suite's order; `view_of` gives the frame a rule looks at.

    `kept` are digests of questions (`Outcome.question`) that were asked before and whose rule was kept: the same again
    needs no second verdict. What broke a rule is always judged. Raises `GateError` when an expectation raised instead
    of answering.
    """
    outcomes = []
    for rule in suite.rules:
        view = view_of(rule)
        question = _question(rule, view)
        known = question in kept
        found = Outcome(rule, checked=_checked(rule, view), broken=0) if known else _outcome(rule, view)
        outcomes.append(replace(found, question=question))
    return outcomes


def _question(rule: Rule, view: pl.DataFrame) -> str:
    """As a digest: what is expected, the column that it is expected of, its values in their order, and who judges."""
    column = view.select(rule.expectation["column"])
    expected = json.dumps(rule.expectation, sort_keys=True)
    told = [importlib.metadata.version("great_expectations"), expected, str(column.schema)]
    return hashlib.sha256("\n".join([*told, column.write_csv()]).encode()).hexdigest()


def _checked(rule: Rule, view: pl.DataFrame) -> int:
    """The rows that a rule looks at: those that have a value."""
    return view.height - view[rule.expectation["column"]].null_count()


def _outcome(rule: Rule, view: pl.DataFrame) -> Outcome:
    if view.is_empty():
        return Outcome(rule, checked=0, broken=0)
    column = rule.expectation["column"]
    result = _validate(rule, view.select(column).to_pandas())
    checked = int(result.get("element_count", 0)) - int(result.get("missing_count", 0))
    broken = int(result.get("unexpected_count", 0))
    if rule.expectation.get("mostly") is not None and result["success"]:
        broken = 0
    positions = [int(position) for position in result.get("unexpected_index_list") or []] if broken else []
    return Outcome(rule, checked, broken, tuple(_places(view, positions[:MOST_PLACES])))


def _validate(rule: Rule, frame: Any) -> Mapping[str, Any]:
    library, context = _library()
    settings = dict(rule.expectation)
    kind = "".join(word.title() for word in settings.pop("type").split("_"))
    expectation = getattr(library.expectations, kind)(**settings)
    batch = (
        context.data_sources.all()["frames"]
        .get_asset("view")
        .get_batch_definition("whole")
        .get_batch(batch_parameters={"dataframe": frame})
    )
    answer = batch.validate(
        expectation,
        result_format={
            "result_format": "COMPLETE",
            "exclude_unexpected_values": True,
            "partial_unexpected_count": 0,
        },
    )
    if answer.exception_info and any(_raised(info) for info in _infos(answer.exception_info)):
        raise GateError(f"rule {rule.id} could not be judged: see expectations/ for how it is stated")
    return {"success": answer.success, **answer.result}


def _infos(info: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [info] if "raised_exception" in info else list(info.values())


def _raised(info: Mapping[str, Any]) -> bool:
    return bool(info.get("raised_exception"))


def _places(view: pl.DataFrame, positions: list[int]) -> list[Broken]:
    names = {"source_sheet": "sheet", "source_row": "row", "source_column": "column", "org_code": "org_code"}
    present = [name for name in names if name in view.columns]
    rows = view.select(present)[positions].rows(named=True) if present else [{} for _ in positions]
    return [Broken(**{names[name]: value for name, value in row.items()}) for row in rows]


@cache
def _library() -> tuple[Any, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations

        context = great_expectations.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        context.data_sources.add_pandas("frames").add_dataframe_asset("view").add_batch_definition_whole_dataframe(
            "whole"
        )
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return great_expectations, context
