"""What a refresh does before dbt and how it calls dbt, without Dagster around it.

Each function is a part of one of Dagster's steps; who wants no more of a refresh than its tables calls them alone.
"""

from __future__ import annotations

from pipelines import intake
from pipelines.adapters import build_state, catalogue, records
from pipelines.adapters.landing import Landing
from pipelines.adapters.persons import sent_order
from pipelines.settings import Settings

RELEASES = "releases"
# Unit tests prove the models, not the night's data: they run in the test suite.
BUILD = ["build", "--exclude-resource-type", "unit_test"]
# Person-level models are then worked out whole; all others are every night.
ANEW = ["--full-refresh"]


class NothingAccepted(Exception):
    """There is nothing to publish."""


class BuildLost(Exception):
    """The build is not, or no more, one that can be released as it is: everything is to be made."""


def take_stock(settings: Settings) -> dict[str, int]:
    """Write the records that dbt reads, but for that of releases; how many rows each has.

    Batches are judged again where the rules changed. Raises `NothingAccepted`.
    """
    held = Landing(settings).batches()
    if not any(one.verdict == "accepted" for one in held):
        raise NothingAccepted("no batch is accepted yet: receive a file first")
    for feed in catalogue.feeds().values():
        intake.judge_accepted(settings, feed)
    rows = records.of_held(held)
    order = sent_order.find(settings)
    build_state.note_inputs(settings, rows)
    rows[sent_order.RECORD] = order.rows
    for name, written in rows.items():
        records.write(settings, name, written)
    sent_order.remember(settings, order)
    return {name: len(written) for name, written in rows.items()}


def is_unchanged(settings: Settings) -> bool:
    """Whether everything but what depends on the day would come out as the last build made it."""
    held = Landing(settings).batches()
    is_settled = all(one.verdict != "pending" for one in held)
    return is_settled and build_state.is_unchanged(settings, records.of_held(held))


def require_standing(settings: Settings) -> None:
    """Raise `BuildLost` unless the build can be released again: it is whole, and nothing that is in it has gone since.

    What came since waits for the next refresh.
    """
    accepted = {(one.feed, one.sha256) for one in Landing(settings).batches() if one.verdict == "accepted"}
    if not build_state.is_of_records(settings) or not accepted >= {
        (row["feed"], row["batch"]) for row in records.read(settings, "batches") if row["verdict"] == "accepted"
    }:
        raise BuildLost("the last build cannot be released again: refresh everything")


def announce(settings: Settings, release_id: str) -> int:
    """Write the record of releases with the one that is about to be made; how many rows it has.

    It counts the batches in the record of batches: those that dbt reads, whatever came meanwhile.
    """
    rows = records.release_rows(settings, release_id, records.read(settings, "batches"))
    records.write(settings, RELEASES, rows)
    return len(rows)


def dbt_arguments(settings: Settings, whole: bool) -> list[str]:
    """How dbt is to be called for a build, of everything when `whole`, which is noted to have begun."""
    return [*BUILD, *(ANEW if build_state.begin(settings, whole) else [])]
