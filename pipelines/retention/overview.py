"""What is held now, dataset by dataset and zone by zone, and plans as they are shown to people."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pipelines.adapters import catalogue
from pipelines.adapters.landing import Landing
from pipelines.retention import approvals, holdings
from pipelines.retention.plans import Plan
from pipelines.settings import Settings, today


def holdings_now(settings: Settings, agreement: str | None = None) -> dict[str, Any]:
    """Every dataset that is held, with what governs it and what will become of it, and every zone with its files."""
    register, feeds, day = catalogue.register(), catalogue.feeds(), today()
    held: dict[tuple[str, str], list[Any]] = {}
    for one in Landing(settings).batches():
        held.setdefault((one.feed, str(one.manifest["agreement"])), []).append(one)
    datasets = []
    for (feed, name), batches in sorted(held.items()):
        found = register.agreement(name)
        if (agreement and name != agreement) or found is None:
            continue
        governed = register.governs(feeds[feed], day, name).as_record() if feed in feeds else {}
        ended = register.ended(feed, name, day)
        datasets.append(
            {
                "dataset": f"{feed}/{name}",
                "feed": feed,
                "agreement": name,
                "legal_basis": governed.get("basis"),
                "basis_ends": governed.get("basis_ends_as_known"),
                "disposition": found.disposition.action,
                "retained_on": found.disposition.basis,
                "ended": ended.id if ended else None,
                "holds": [hold.id for hold in register.holds_on(feed, name, day)],
                **holdings.of_dataset(settings, batches),
            }
        )
    return {"datasets": datasets, "zones": holdings.by_zone(settings)}


def as_report(settings: Settings, plan: Plan) -> dict[str, Any]:
    """A plan with its hash, what stands in its way, its deadline and the approvals that it has."""
    deadlines = [
        catalogue.register().agreement(one["agreement"]).disposition.deadline_days or 0  # type: ignore[union-attr]
        for one in plan.body["datasets"]
    ]
    ended = dt.date.fromisoformat(plan.body["end"]["date"])
    return {
        "plan": plan.sha256,
        **plan.body,
        "blocked": list(plan.blocked),
        "due": (ended + dt.timedelta(days=min(deadlines, default=0))).isoformat(),
        "approved_by": [one["approver"] for one in approvals.given(settings, plan.sha256)],
    }
