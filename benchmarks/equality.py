"""Whether a peer's tables say what the store's marts say, before anybody speaks of its time."""

from __future__ import annotations

from pathlib import Path

from benchmarks.stores import Store, released

LEVELS = "org_level IN ('nation', 'trust', 'site')"
NEAR = 1e-6
"""Quantiles of whole minutes and nights differ in the last bits of their interpolation only."""


def tables() -> dict[str, tuple[str, list[str], list[str], str]]:
    """By peer's table: the mart, its key, the figures that are compared, and which of its rows."""
    steps = ("time_to_assessment", "time_to_treatment", "time_in_department")
    limits = [f"still_over_{nights}_nights" for nights in (7, 14, 21)]
    return {
        "waits": (
            "ae_waiting_times_daily",
            ["date", "org_level", "org_code", "department_type"],
            [
                "attendances",
                "four_hour_attendances",
                "over_four_hours",
                "over_12_hours_from_arrival",
                "over_12_hours_from_decision_to_admit",
                *(f"{step}_{share}_minutes" for step in steps for share in ("median", "p95")),
            ],
            LEVELS,
        ),
        "census": (
            "occupancy_daily",
            ["snapshot_date", "org_level", "org_code"],
            ["occupied_beds"],
            f"{LEVELS} AND basis = 'person_level' AND bed_type = 'all'",
        ),
        "stays": (
            "length_of_stay",
            ["admission_month", "org_level", "org_code", "covid_group", "age_band"],
            [
                *("stays", "completed_stays", "lower_quartile_nights", "median_nights", "upper_quartile_nights"),
                *("p90_nights", "still_in_hospital", *limits),
            ],
            f"{LEVELS} AND covid_group IN ('all', 'covid_diagnosed') AND critical_care_use = 'all' "
            "AND (org_level <> 'site' OR age_band = 'all')",
        ),
    }


def differing(store: Store, made: Path) -> dict[str, int]:
    """Rows of each of the peer's tables in which a figure is another than the store's. An absent row says zero."""
    found = {}
    with released(store) as connection:
        for name, (mart, key, figures, chosen) in tables().items():
            keys = " AND ".join(f"CAST(a.{column} AS VARCHAR) = CAST(b.{column} AS VARCHAR)" for column in key)
            apart = " OR ".join(
                f"abs(coalesce(a.{figure}, 0) - coalesce(b.{figure}, 0)) > {NEAR} OR "
                + (f"(a.{figure} IS NULL) <> (b.{figure} IS NULL)" if _is_quantile(figure) else "false")
                for figure in figures
            )
            columns = ", ".join(key)
            dates = f"CAST({key[0]} AS DATE) AS {key[0]}"
            counted = connection.execute(
                f"WITH a AS (SELECT * FROM r0.marts.{mart} WHERE {chosen}), "
                f"b AS (SELECT * REPLACE ({dates}) FROM read_parquet('{made / name}.parquet')) "
                f"SELECT count(*) FROM a FULL JOIN b ON {keys} WHERE {apart}"
            ).fetchone()
            rows = connection.execute(
                f"SELECT count(DISTINCT ({columns})) FROM r0.marts.{mart} WHERE {chosen}"
            ).fetchone()
            # Nothing to compare with is no agreement.
            found[name] = int(counted[0]) if counted and rows and rows[0] else -1
    return found


def _is_quantile(figure: str) -> bool:
    return figure.endswith(("_minutes", "quartile_nights", "median_nights", "p90_nights"))
