"""The code location: load what `defs/` holds, nothing else."""

from __future__ import annotations

import dagster as dg

from pipelines import settings


@dg.definitions
def defs() -> dg.Definitions:
    """Every feed, asset, check, job, schedule and sensor under `pipelines/defs`."""
    settings.prepare(settings.load())
    return dg.load_from_defs_folder(path_within_project=settings.PROJECT_ROOT)
