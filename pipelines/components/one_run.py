"""One run at a time, whoever starts it: the UI, the schedule or the command line."""

from collections.abc import Iterator

import dagster as dg

from pipelines import settings
from pipelines.adapters.files import lock

ONE_RUN = "one_run"


@dg.resource(description="Held for a whole run, since runs execute in one process; another run waits for it.")
def one_run(context: dg.InitResourceContext) -> Iterator[None]:
    """Hold the lock on the build from the start of the run to its end; a killed run frees it."""
    with lock(settings.load().locks / "run"):
        yield None
