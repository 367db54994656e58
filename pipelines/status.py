"""Where the store stands: feeds, freshness, the release, quarantine, checks."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from pipelines.adapters import catalogue, releases
from pipelines.adapters.files import is_locked, write_json
from pipelines.adapters.landing import Held, Landing
from pipelines.domain.feeds import Feed
from pipelines.settings import Settings, now, today

STALE_AFTER = dt.timedelta(hours=36)


def report(settings: Settings) -> dict[str, Any]:
    """The whole status, as `datastore status --json` prints it."""
    batches = Landing(settings).batches()
    return {
        "feeds": [
            _feed(feed, [held for held in batches if held.feed == feed.feed]) for feed in catalogue.feeds().values()
        ],
        "release": _release(settings),
        "quarantine": [_quarantined(held) for held in batches if held.verdict == "quarantined"],
        "checks": [check for held in batches for check in _checks(held)],
    }


def record_attempt(settings: Settings, outcome: str, reason: str | None = None) -> None:
    """Remember how the last refresh went: `running`, `published`, or `refused` and why."""
    write_json(settings.last_refresh, {"outcome": outcome, "reason": reason, "at": now().isoformat()})


def _feed(feed: Feed, batches: list[Held]) -> dict[str, Any]:
    accepted = [held.manifest for held in batches if held.verdict == "accepted"]
    received = max((held.manifest["received_at"] for held in batches), default=None)
    last = max((manifest["period_end"] for manifest in accepted if manifest["period_end"]), default=None)
    newest = last or max((manifest["received_at"] for manifest in accepted), default=None)
    age = today() - dt.datetime.fromisoformat(newest).date() if newest else None
    return {
        "feed": feed.feed,
        "last_received_at": received,
        "last_period_end": last,
        "is_fresh": age is not None and age <= feed.cadence.fresh_for,
        "accepted": len(accepted),
        "quarantined": sum(held.verdict == "quarantined" for held in batches),
    }


def _release(settings: Settings) -> dict[str, Any] | None:
    try:
        record = releases.record(releases.current(settings))
    except releases.NoRelease:
        return None
    attempt = json.loads(settings.last_refresh.read_text())
    failed = attempt["outcome"] == "refused" or (attempt["outcome"] == "running" and not is_locked(settings.run_lock))
    age = now() - dt.datetime.fromisoformat(record["published_at"])
    return {
        "release_id": record["release_id"],
        "published_at": record["published_at"],
        "is_stale": failed or age > STALE_AFTER,
        "last_refresh": "killed" if failed and attempt["outcome"] == "running" else attempt["outcome"],
        "reason": attempt["reason"] or ("the last refresh was killed" if failed else None),
    }


def _quarantined(held: Held) -> dict[str, Any]:
    manifest = held.manifest
    return {
        "feed": held.feed,
        "file": manifest["file_name"],
        "sha256": held.sha256,
        "reason": "; ".join(held.reasons[:3]),
        "received_at": manifest["received_at"],
    }


def _checks(held: Held) -> list[dict[str, Any]]:
    return [
        {
            "check": check["check_id"],
            "feed": held.feed,
            "severity": check["severity"],
            "passed": check["passed"],
            "reason": check["reason"],
            "file": held.manifest["file_name"],
            "sha256": held.sha256,
            "checked": check["checked"],
            "broken": check["broken"],
        }
        for check in held.checks.get("checks", [])
    ]
