"""How dbt gets at the encrypted build: the key goes from the key store to the connection and nowhere else.

Named in `dbt_project/profiles.yml`; runs before dbt's own `attach`, whose `ATTACH IF NOT EXISTS` of the same
alias then does nothing, so that no key stands in a profile, a log or a compiled file.
"""

from __future__ import annotations

import contextlib

from dbt.adapters.duckdb.plugins import BasePlugin

from pipelines import settings
from pipelines.adapters import warehouse
from pipelines.adapters.files import lock

HELD: list[contextlib.ExitStack] = []


class Plugin(BasePlugin):  # type: ignore[misc]
    """dbt-duckdb plugin that prepares each connection dbt opens."""

    def configure_connection(self, conn) -> None:  # type: ignore[no-untyped-def]
        """Load the crypto module, register the Parquet key, attach the databases that dbt writes."""
        here = settings.load()
        # Held while dbt runs, whether or not it has a connection open at the moment.
        if not HELD:
            HELD.append(contextlib.ExitStack())
            HELD[0].enter_context(lock(here.locks / warehouse.BUILD))
        warehouse.prepare(conn, here)
        warehouse.attach_build(conn, here)

    def configure_cursor(self, cursor) -> None:  # type: ignore[no-untyped-def]
        """Variables are of one connection, and each of dbt's threads has a cursor, which is one of its own."""
        warehouse.name_zones(cursor, settings.load())


def let_go() -> None:
    """Let others at the build, when dbt has ended in a process that goes on."""
    while HELD:
        HELD.pop().close()
