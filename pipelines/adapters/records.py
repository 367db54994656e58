"""Operations records: feeds, batches, checks and releases as rows, the dbt source `operations`."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from pipelines.adapters import catalogue, releases, warehouse
from pipelines.adapters.landing import Held
from pipelines.domain.feeds import Feed
from pipelines.domain.governance import LegalBasis, Ungoverned
from pipelines.settings import Settings, now, today

TIMESTAMP = pl.Datetime("us")

SCHEMAS: dict[str, dict[str, Any]] = {
    "feeds": {
        "feed": pl.String,
        "title": pl.String,
        "supplier": pl.String,
        "kind": pl.String,
        "published_every": pl.String,
        "late_after_days": pl.Int64,
        "fresh_for_days": pl.Int64,
    },
    "batches": {
        "batch": pl.String,
        "feed": pl.String,
        "file_name": pl.String,
        "size_bytes": pl.Int64,
        "received_at": TIMESTAMP,
        "received_by": pl.String,
        "published_on": pl.Date,
        "known_from": TIMESTAMP,
        "period_start": pl.Date,
        "period_end": pl.Date,
        "layout": pl.String,
        "row_count": pl.Int64,
        "verdict": pl.String,
        "agreement": pl.String,
        "legal_basis": pl.String,
        "reason": pl.String,
    },
    "checks": {
        "check_id": pl.String,
        "feed": pl.String,
        "batch": pl.String,
        "org_code": pl.String,
        "severity": pl.String,
        "passed": pl.Boolean,
        "expected": pl.String,
        "observed": pl.String,
        "reason": pl.String,
        "checked_at": TIMESTAMP,
    },
    "releases": {
        "release_id": pl.String,
        "published_at": TIMESTAMP,
        "is_current": pl.Boolean,
        "code_version": pl.String,
        "batches_accepted": pl.Int64,
        "batches_quarantined": pl.Int64,
        "row_count": pl.Int64,
    },
    "person_rules": {
        "opt_outs_apply": pl.Boolean,
    },
    "sent_order": {
        "record_key": pl.String,
        "ordinal": pl.Int64,
    },
    "rejected_rows": {
        "feed": pl.String,
        "batch": pl.String,
        "reason_code": pl.String,
        "rejected_rows": pl.Int64,
    },
}


def write(settings: Settings, name: str, rows: list[dict[str, Any]]) -> None:
    """Replace one of the records."""
    with warehouse.shared(settings) as connection:
        frame = pl.DataFrame(rows, schema=SCHEMAS[name], orient="row")
        warehouse.write_rows(connection, frame, settings.operations / f"{name}.parquet")


def read(settings: Settings, name: str) -> list[dict[str, Any]]:
    """The rows of one of the records, as it was written."""
    with warehouse.shared(settings) as connection:
        return warehouse.read_rows(connection, settings.operations / f"{name}.parquet").to_dicts()


def of_held(held: Sequence[Held]) -> dict[str, list[dict[str, Any]]]:
    """Every record that follows from what is held and declared today, as rows."""
    return {
        "feeds": feed_rows(),
        "batches": [batch_row(one) for one in held],
        "checks": [row for one in held for row in check_rows(one, one.checks)],
        "rejected_rows": [row for one in held for row in rejected_rows(one)],
        "person_rules": person_rules_rows(held),
    }


def feed_rows() -> list[dict[str, Any]]:
    """Every declared feed with its cadence; days late are counted from the end of a publication's period."""
    return [
        {
            "feed": feed.feed,
            "title": feed.title,
            "supplier": feed.supplier,
            "kind": feed.kind,
            "published_every": feed.cadence.every,
            "late_after_days": feed.cadence.late_after_days,
            "fresh_for_days": feed.cadence.fresh_for.days,
        }
        for feed in catalogue.feeds().values()
    ]


def datasets(held: Iterable[Held]) -> list[tuple[Feed, str]]:
    """The declared feeds of which batches are accepted, each with every agreement that its batches are held under."""
    feeds = catalogue.feeds()
    named = {
        (one.feed, str(one.manifest["agreement"])) for one in held if one.feed in feeds and one.verdict == "accepted"
    }
    return [(feeds[feed], agreement) for feed, agreement in sorted(named)]


def person_rules_rows(held: Iterable[Held]) -> list[dict[str, Any]]:
    """What the legal bases in force today ask of person-level feeds, one row.

    Opt-outs apply to all of them when what governs an accepted batch of one says so, or when nothing governs it: marts
    link the feeds, so a person is in all or in none.
    """
    return [{"opt_outs_apply": catalogue.register().opt_outs_apply(datasets(held), today())}]


def batch_row(held: Held) -> dict[str, Any]:
    """A held batch as a row of `batches`, with the legal basis that governs it today."""
    manifest = held.manifest
    basis = _basis(held.feed, manifest["agreement"])
    return {
        "batch": held.sha256,
        "feed": held.feed,
        "file_name": manifest["file_name"],
        "size_bytes": manifest["size_bytes"],
        "received_at": _utc(manifest["received_at"]),
        "received_by": manifest["received_by"],
        "published_on": _day(manifest.get("published_on")),
        "known_from": _utc(manifest.get("known_from") or manifest["received_at"]),
        "period_start": _day(manifest.get("period_start")),
        "period_end": _day(manifest.get("period_end")),
        "layout": manifest.get("layout"),
        "row_count": manifest.get("row_count"),
        "verdict": held.verdict,
        "agreement": manifest["agreement"],
        "legal_basis": basis.id if basis else None,
        "reason": held.reasons[0] if held.reasons else None,
    }


def _basis(feed: str, agreement: str) -> LegalBasis | None:
    """The basis that a batch rests on today; none also when its agreement has gone: publishing refuses by name."""
    declared = catalogue.feeds().get(feed)
    try:
        return catalogue.register().in_force(declared, today(), agreement) if declared else None
    except Ungoverned:
        return None


def rejected_rows(held: Held) -> list[dict[str, Any]]:
    """How many rows of a person-level batch were rejected, by reason; of a quarantined one too."""
    return [
        {"feed": held.feed, "batch": held.sha256, "reason_code": reason, "rejected_rows": count}
        for reason, count in held.manifest.get("rejected", {}).items()
    ]


def check_rows(held: Held, checks: dict[str, Any]) -> list[dict[str, Any]]:
    """What the gate found on a batch, as rows of `checks`: one for the batch and, when broken, one an organisation."""
    rows = []
    for check in checks.get("checks", []):
        row = {
            "check_id": check["check_id"],
            "feed": held.feed,
            "batch": held.sha256,
            "org_code": None,
            "severity": check["severity"],
            "passed": check["passed"],
            "expected": f"{check['checked']} of {check['checked']} keep the rule",
            "observed": f"{check['checked'] - check['broken']} of {check['checked']} keep the rule",
            "reason": check["reason"],
            "checked_at": _utc(checks["judged_at"]),
        }
        rows.append(row)
        rows += [
            {**row, "org_code": code, "expected": "0 broken", "observed": f"{count} broken"}
            for code, count in check["org_codes"].items()
        ]
    if notes := held.manifest.get("not_loaded"):
        rows.append(
            {
                "check_id": f"{held.feed}.everything_declared",
                "feed": held.feed,
                "batch": held.sha256,
                "org_code": None,
                "severity": "warn",
                "passed": False,
                "expected": "nothing left out",
                "observed": f"{len(notes)} left out",
                "reason": f"Not loaded: {'; '.join(notes)}",
                "checked_at": _utc(held.manifest["received_at"]),
            }
        )
    return rows


def release_rows(settings: Settings, release_id: str, batches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Earlier releases that are kept, and the one that is being built."""
    rows = [
        {**_release(folder.name, releases.record(folder)), "is_current": False} for folder in releases.kept(settings)
    ]
    building = {
        "release_id": release_id,
        "published_at": now().replace(tzinfo=None),
        "is_current": True,
        "code_version": importlib.metadata.version("covid-datastore"),
        "batches_accepted": sum(row["verdict"] == "accepted" for row in batches),
        "batches_quarantined": sum(row["verdict"] == "quarantined" for row in batches),
        "row_count": sum(row["row_count"] or 0 for row in batches if row["verdict"] == "accepted"),
    }
    return [*rows, building]


def _release(release_id: str, record: dict[str, Any]) -> dict[str, Any]:
    kept = {name: record.get(name) for name in SCHEMAS["releases"]}
    return {**kept, "release_id": release_id, "published_at": _utc(record["published_at"])}


def _utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC).replace(tzinfo=None)


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
