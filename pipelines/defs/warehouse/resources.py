"""What the assets ask for: the lock that a run holds."""

import dagster as dg

from pipelines.components.one_run import ONE_RUN, one_run


@dg.definitions
def resources() -> dg.Definitions:
    """The resource by the name that assets require."""
    return dg.Definitions(resources={ONE_RUN: one_run})
