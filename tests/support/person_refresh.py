"""The part of a refresh that person-level marts need, without Dagster: records, then dbt on those models alone.

Run as a program on the store that the environment names; what it does to the build is what a night does to it.
"""

from __future__ import annotations

import sys

from dbt.cli.main import dbtRunner

from pipelines import intake, settings
from pipelines.adapters import build_state, catalogue, records
from pipelines.adapters.landing import Landing
from pipelines.adapters.persons import sent_order

BUILD = ["build", "--quiet", "--select", "+path:models/marts/persons"]
BUILD += ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]


def main() -> int:
    """Exit 0 when dbt ended well."""
    here = settings.load()
    settings.prepare(here)
    for feed in catalogue.feeds().values():
        intake.settle_pending(here, feed)
    held = Landing(here).batches()
    order = sent_order.find(here)
    rows = {
        "feeds": records.feed_rows(),
        "batches": [records.batch_row(one) for one in held],
        "checks": [],
        "releases": [],
        "rejected_rows": [row for one in held for row in records.rejected_rows(one)],
        "person_rules": records.person_rules_rows(),
        "sent_order": order.rows,
    }
    for name, written in rows.items():
        records.write(here, name, written)
    sent_order.remember(here, order)
    anew = ["--full-refresh"] if build_state.begin(here) else []
    folder = str(settings.DBT_PROJECT)
    result = dbtRunner().invoke([*BUILD, *anew, "--project-dir", folder, "--profiles-dir", folder])
    if not result.success:
        print([f"{one.node.name}: {one.message}" for one in result.result or () if one.status in ("error", "fail")])
        print(result.exception or "")
        return 1
    build_state.end(here)
    return 0


if __name__ == "__main__":
    sys.exit(main())
