"""The profile of a person-level batch: counts of what a gate looks at, made in one pass over the accepted rows.

Great Expectations judges the profile and never sees a row.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

from pipelines.adapters import warehouse
from pipelines.domain.feeds import Feed
from pipelines.domain.persons.rejecting import TOLERATED_ROWS

# (of which rows, how many of them are remarkable), by the columns that a feed must keep for the measure.
MEASURES: dict[str, tuple[str, str, str]] = {
    "without_nhs_number": ("person_pseudonym", "true", "person_pseudonym IS NULL"),
    "without_departure": ("ec_departure_at", "true", "ec_departure_at IS NULL"),
    # As the marts ignore them: assessment and treatment within a day of arrival, a decision within the attendance.
    "time_outside_validity": (
        "ec_departure_at",
        "true",
        "ec_initial_assessment_at NOT BETWEEN arrival_at AND arrival_at + INTERVAL 1 DAY "
        "OR ec_seen_for_treatment_at NOT BETWEEN arrival_at AND arrival_at + INTERVAL 1 DAY "
        "OR ec_decision_to_admit_at < arrival_at OR ec_decision_to_admit_at > ec_departure_at",
    ),
    "open_over_a_year": (
        "discharge_at",
        "discharge_at IS NULL",
        "submission_date - admission_date > 365",
    ),
}
SCHEMA = {"measure": pl.String, "checked": pl.Int64, "broken": pl.Int64, "share": pl.Float64}


def profile(
    connection: duckdb.DuckDBPyConnection, feed: Feed, accepted: Path, rejected: dict[str, int], taken_out: int = 0
) -> pl.DataFrame:
    """One row a measure: how many rows it looks at (`checked`), how many are remarkable (`broken`), and their share.

    The share of `rejected_rows` is 0 as long as they are no more than the contract tolerates. Rows that were
    `taken_out` of the file since it came count among those that it had: a withdrawal makes no good file a bad one.
    """
    columns = feed.records.accepted_schema() if feed.records else {}
    told = {name: measure[1:] for name, measure in MEASURES.items() if measure[0] in columns}
    counts = "".join(
        f", count(*) FILTER (NOT is_deletion AND ({among})), "
        f"count(*) FILTER (NOT is_deletion AND ({among}) AND ({broken}))"
        for among, broken in told.values()
    )
    [found] = connection.execute(f"SELECT count(*){counts} FROM {warehouse.accepted_file(accepted)}").fetchall()
    rows, turned_away = int(found[0]), sum(rejected.values())
    return made(
        {
            "rejected_rows": (rows + turned_away + taken_out, turned_away),
            "no_record": (1, int(rows + turned_away + taken_out == 0)),
            **{name: (found[1 + 2 * place], found[2 + 2 * place]) for place, name in enumerate(told)},
        }
    )


def made(counts: dict[str, tuple[int, int]]) -> pl.DataFrame:
    """The profile of these counts."""
    rows = []
    for measure, (checked, broken) in counts.items():
        share = broken / checked if checked else 0.0
        if measure == "rejected_rows" and broken <= TOLERATED_ROWS:
            share = 0.0
        rows.append((measure, checked, broken, share))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
