"""What governs the datasets that a store holds: today, on another day as it was known, and at a past release."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from pipelines.adapters import audit, catalogue, warehouse
from pipelines.adapters.landing import Held, Landing
from pipelines.domain.governance import Agreement, Ungoverned
from pipelines.domain.refusals import printable
from pipelines.settings import Settings, today

PUBLISH = "publish"


class NoSuchRelease(Exception):
    """The audit trail has no release of that name; one line."""


def of_release(settings: Settings) -> list[dict[str, Any]]:
    """What governs the release that is about to be made: one record for each dataset in it.

    Raises `Ungoverned` when one of them has no agreement that lists it or no basis in force today, or when the rule on
    opt-outs is another by now than the one that the build was made under.
    """
    register = catalogue.register()
    with warehouse.shared(settings) as connection:
        batches = warehouse.read_rows(connection, settings.operations / "batches.parquet")
        [built] = warehouse.read_rows(connection, settings.operations / "person_rules.parquet")["opt_outs_apply"]
    feeds = catalogue.feeds()
    accepted = batches.filter(verdict="accepted").select("feed", "agreement").unique().iter_rows()
    datasets = [(feeds[feed], agreement) for feed, agreement in accepted if feed in feeds]
    governed = register.governs_release(datasets, today())
    if built != register.opt_outs_apply(datasets, today()):
        raise Ungoverned("the rule on opt-outs changed since the build was begun: run `datastore refresh` again")
    return [one.as_record() for one in governed]


def of_past_release(settings: Settings, release_id: str) -> list[dict[str, Any]]:
    """What governed a release, from the audit trail: it need not be kept any more. Raises `NoSuchRelease`."""
    for entry in audit.entries(settings, PUBLISH):
        if entry.get("release_id") == release_id:
            return list(entry.get("governance", []))
    raise NoSuchRelease(
        f"the audit trail has no release {printable(release_id)}: `datastore status` names the one that is served"
    )


def on_day(settings: Settings, day: dt.date, known_on: dt.date) -> list[dict[str, Any]]:
    """What governs every dataset that an agreement lists on a day, as known on a day: one row each.

    Besides what a release records: what ended it and by when it is due, holds, and how many batches are accepted today.
    """
    register = catalogue.register()
    feeds = catalogue.feeds()
    accepted = _accepted(Landing(settings).batches())
    rows = []
    for agreement in register.agreements:
        for name in agreement.datasets:
            governed = register.governs(feeds[name], day, agreement.id, known_on)
            ends = [
                end
                for end in register.ends(day, known_on)
                if any((one.feed, one.agreement) == (name, agreement.id) for one in end.datasets)
            ]
            rows.append(
                {
                    **governed.as_record(),
                    "purpose": agreement.purpose,
                    "controller": agreement.controller,
                    "clause": agreement.clause,
                    "ends": [_end(end.id, end.date, end.from_, end.to, agreement) for end in ends],
                    "holds": [hold.id for hold in register.holds_on(name, agreement.id, day)],
                    "accepted": accepted.get((name, agreement.id), 0),
                }
            )
    return sorted(rows, key=lambda row: (row["feed"], row["agreement"]))


def _end(
    end_id: str, day: dt.date, first: dt.date | None, last: dt.date | None, agreement: Agreement
) -> dict[str, Any]:
    days = agreement.disposition.deadline_days
    return {
        "id": end_id,
        "date": day.isoformat(),
        "from": first.isoformat() if first else None,
        "to": last.isoformat() if last else None,
        "due": (day + dt.timedelta(days=days)).isoformat() if days is not None else None,
    }


def _accepted(held: Iterable[Held]) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for one in held:
        if one.verdict == "accepted":
            dataset = (one.feed, str(one.manifest["agreement"]))
            counts[dataset] = counts.get(dataset, 0) + 1
    return counts
