"""The part of a refresh that person-level marts need, without Dagster: records, then dbt on those models alone.

Run as a program on the store that the environment names; what it does to the build is what a night does to it.
"""

from __future__ import annotations

import sys

from dbt.cli.main import dbtRunner

from pipelines import building, intake, settings
from pipelines.adapters import build_state, catalogue

PART = ["--quiet", "--select", "+path:models/marts/persons", "--exclude-resource-type", "test"]


def main() -> int:
    """Exit 0 when dbt ended well."""
    here = settings.load()
    settings.prepare(here)
    for feed in catalogue.feeds().values():
        intake.settle_pending(here, feed)
    building.take_stock(here)
    building.announce(here, "none")
    folder = str(settings.DBT_PROJECT)
    result = dbtRunner().invoke(
        [*building.dbt_arguments(here, whole=False), *PART, "--project-dir", folder, "--profiles-dir", folder]
    )
    if not result.success:
        print([f"{one.node.name}: {one.message}" for one in result.result or () if one.status in ("error", "fail")])
        print(result.exception or "")
        return 1
    build_state.end(here)
    return 0


if __name__ == "__main__":
    sys.exit(main())
