"""Independent routes to one quantity meet on the publishers' real files, in the mart `reconciliation`."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.adapters import catalogue
from tests.support.compiled import CompiledProject

FOLDERS = {
    "kh03_beds": "kh03_beds_overnight/*",
    "ae_monthly": "ae_monthly/*",
    "ae_timeseries": "ae_timeseries/*.xls",
    "delayed_transfers": "delayed_transfers_of_care/*.xls",
    "covid_vaccinations": "covid_vaccinations/*.xlsx",
}


@pytest.fixture(scope="module")
def reconciled(feeds_dir: Path, compiled_project: CompiledProject) -> duckdb.DuckDBPyConnection:
    """The mart on what the readers make of the real files."""
    sources: dict[str, list[dict[str, Any]]] = {"batches": []}
    for name, pattern in FOLDERS.items():
        feed = catalogue.feed(name)
        for path in sorted(feeds_dir.glob(pattern)):
            content = path.read_bytes()
            batch = hashlib.sha256(content).hexdigest()
            reading = catalogue.reader(feed)(content, feed, catalogue.known(), path.name)
            received = dt.datetime(2026, 1, 1)
            published = dt.datetime.combine(reading.published_on, dt.time()) if reading.published_on else received
            sources["batches"].append(
                {
                    "batch": batch,
                    "feed": name,
                    "received_at": received,
                    "known_from": published,
                    "period_end": reading.period_end,
                    "verdict": "accepted",
                }
            )
            sources.setdefault(name, []).extend({**row, "batch": batch} for row in reading.rows.to_dicts())
    return compiled_project.run(["reconciliation"], sources)


def test_every_pair_but_the_restated_quarters_is_within(reconciled: duckdb.DuckDBPyConnection) -> None:
    pairs = reconciled.execute(
        "select pair_id, count(*), count(*) filter (where is_within) from marts.reconciliation group by 1 order by 1"
    ).fetchall()
    print(*(f"{pair}: {within:,} of {compared:,} within" for pair, compared, within in pairs), sep="\n")
    assert pairs == [
        ("ae_months", 140, 140),
        ("delayed_transfers", 1837, 1837),
        ("kh03_series", 30, 19),
        ("published_totals", 516, 516),
        ("vaccinations_regions", 14, 14),
    ]


def test_a_restated_quarter_says_so(reconciled: duckdb.DuckDBPyConnection) -> None:
    """April to June 2020: 118,451.27 beds in the series of August 2020, 118,473.43 as revised to November 2021."""
    ((left, right, is_within, finding),) = reconciled.execute(
        "select round(left_value, 2), round(right_value, 2), is_within, finding from marts.reconciliation"
        " where quantity = 'available_beds__total__kh03' and pair_id = 'kh03_series' and period_start = '2020-04-01'"
    ).fetchall()
    assert (left, right, is_within) == (118_473.43, 118_451.27, False)
    assert finding.endswith(
        "22.15 (0.02 per cent) more than expected. The left was published on 2021-11-18, the right on 2020-08-20: "
        "restated in between."
    )
    # So does every other quarter that is not equal, and the one that was never revised is.
    assert reconciled.execute(
        "select count(*) from marts.reconciliation where not is_within and finding not like '%restated in between.'"
    ).fetchall() == [(0,)]
    assert reconciled.execute(
        "select bool_and(is_within) from marts.reconciliation"
        " where pair_id = 'kh03_series' and period_start = '2019-10-01'"
    ).fetchall() == [(True,)]
