"""An execution of a plan that has passed its point of no return and has not ended: the store does nothing else then."""

from __future__ import annotations

from pipelines.settings import Settings


class Unfinished(Exception):
    """The store takes nothing in and releases nothing; one line that says what to do."""


def unfinished(settings: Settings) -> str | None:
    """The hash of the plan whose execution has to go on, None when there is none."""
    path = settings.retention / "open"
    return path.read_text().strip() if path.exists() else None


def require_none(settings: Settings) -> None:
    """Raises `Unfinished` while an execution has to go on."""
    if (plan := unfinished(settings)) is not None:
        raise Unfinished(
            f"the end of a dataset was interrupted (plan {plan[:12]}): run `datastore retention execute {plan[:12]}`"
        )
