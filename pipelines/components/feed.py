"""A feed as Dagster shows it: the asset `landing/<feed>` and one asset check per landing rule.

What the asset does and what the rules say stands in `intake` and in the feed's own YAML; nothing is decided here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from pydantic import BaseModel

from pipelines import intake, settings
from pipelines.adapters import catalogue
from pipelines.adapters.landing import Held, Landing
from pipelines.components.one_run import ONE_RUN
from pipelines.domain.feeds import Feed
from pipelines.domain.gates import Rule

NOTHING_QUARANTINED = "nothing_quarantined"


@dataclass
class FeedComponent(dg.Component):
    """One feed, every fact of it in the `defs.yaml` that instantiates this."""

    feed: Feed

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The attributes that a feed's `defs.yaml` may state."""
        return Feed

    @classmethod
    def load(cls, attributes: Feed, context: dg.ComponentLoadContext) -> "FeedComponent":  # type: ignore[override]
        """Build from the YAML; raises `Ungoverned` when no whole governance record stands behind the feed."""
        catalogue.register().governing(attributes)
        return cls(attributes)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The landing asset with its checks."""
        return dg.Definitions(assets=[landing_asset(self.feed)])


def landing_asset(feed: Feed) -> dg.AssetsDefinition:
    """The asset `landing/<feed>`: its accepted batches, and what the gate says of them, errors blocking.

    One step does both: a feed costs a refresh one start of a step, and there are many feeds.
    """
    key = dg.AssetKey(["landing", feed.feed])
    rules = catalogue.suite(feed.feed).rules
    agreement, bases = catalogue.register().governing(feed)

    @dg.asset(
        key=key,
        check_specs=_check_specs(key, rules),
        group_name="landing",
        description=f"{feed.title}. {feed.description}",
        owners=[feed.owner],
        kinds={"python", "polars", "parquet"},
        tags={"kind": feed.kind},
        metadata={
            "supplier": feed.supplier,
            "publication": feed.publication,
            "controller": agreement.controller,
            "agreement": agreement.id,
            "purpose": agreement.purpose,
            "legal_bases": ", ".join(basis.id for basis in bases),
            "disposition": agreement.disposition.action,
        },
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=feed.cadence.fresh_for),
        pool="intake",
        required_resource_keys={ONE_RUN},
    )
    def landing(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        here = settings.load()
        settled = intake.settle_pending(here, feed)
        for held in settled:
            context.log.info(f"{held.manifest['file_name']}: {held.verdict}")
        batches = Landing(here).batches(feed.feed)
        yield dg.MaterializeResult(
            metadata=_summary(batches, str(here.accepted / feed.feed)),
            check_results=[*_found(rules, batches, intake.judge_accepted(here, feed)), _quarantine(batches)],
        )

    return landing


def _summary(batches: list[Held], folder: str) -> dict[str, Any]:
    accepted = [held.manifest for held in batches if held.verdict == "accepted"]
    starts = [manifest["period_start"] for manifest in accepted if manifest["period_start"]]
    ends = [manifest["period_end"] for manifest in accepted if manifest["period_end"]]
    summary: dict[str, Any] = {
        "dagster/row_count": sum(manifest["row_count"] for manifest in accepted),
        "batches_accepted": len(accepted),
        "batches_quarantined": sum(held.verdict == "quarantined" for held in batches),
        "accepted_rows": dg.MetadataValue.path(folder),
    }
    if starts:
        summary |= {"first_day": min(starts), "last_day": max(ends)}
    if batches:
        summary["last_received_at"] = max(held.manifest["received_at"] for held in batches)
    return summary


def _check_specs(key: dg.AssetKey, rules: Sequence[Rule]) -> list[dg.AssetCheckSpec]:
    """One check per landing rule over every accepted batch, errors blocking; and whether anything is quarantined."""
    specs = [
        dg.AssetCheckSpec(check_name(rule.id), asset=key, blocking=rule.severity == "error", description=rule.reason)
        for rule in rules
    ]
    quarantine = dg.AssetCheckSpec(
        NOTHING_QUARANTINED,
        asset=key,
        blocking=False,
        description="No batch of the feed waits in quarantine.",
    )
    return [*specs, quarantine]


def _found(
    rules: Sequence[Rule], batches: list[Held], found: dict[str, dict[str, Any]]
) -> Iterator[dg.AssetCheckResult]:
    """What came of each rule on the accepted batches."""
    for rule in rules:
        outcomes = {sha256: check_of(checks, rule.id) for sha256, checks in found.items()}
        broken = [held for held in batches if held.sha256 in found and not outcomes[held.sha256]["passed"]]
        yield dg.AssetCheckResult(
            check_name=check_name(rule.id),
            passed=not broken,
            severity=dg.AssetCheckSeverity.ERROR if rule.severity == "error" else dg.AssetCheckSeverity.WARN,
            description=rule.reason,
            metadata={
                "batches": len(found),
                "rows_checked": sum(check["checked"] for check in outcomes.values()),
                "rows_broken": sum(check["broken"] for check in outcomes.values()),
                "broken_in": ", ".join(str(held.manifest["file_name"]) for held in broken[:10]) or "none",
            },
        )


def _quarantine(batches: list[Held]) -> dg.AssetCheckResult:
    waiting = [held for held in batches if held.verdict == "quarantined"]
    lines = [f"- {held.manifest['file_name']}: {held.reasons[0]}" for held in waiting[:10]]
    return dg.AssetCheckResult(
        check_name=NOTHING_QUARANTINED,
        passed=not waiting,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "quarantined": len(waiting),
            "reasons": dg.MetadataValue.md("\n".join(lines) or "none"),
        },
    )


def check_of(checks: dict[str, Any], rule_id: str) -> dict[str, Any]:
    """What was found for one rule."""
    return next(check for check in checks["checks"] if check["check_id"] == rule_id)


def check_name(rule_id: str) -> str:
    """A rule's name as a check of its asset: the id without its subject."""
    return rule_id.rpartition(".")[2]
