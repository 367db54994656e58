"""The records that dbt turns into the marts of quality and releases and that date every figure."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines import intake, settings
from pipelines.adapters import catalogue, records
from pipelines.adapters.landing import Landing
from pipelines.adapters.persons import sent_order
from pipelines.components.one_run import ONE_RUN

DESCRIPTIONS = {
    "feeds": "Every declared feed: its supplier, how often it is published and when it is late.",
    "batches": "Every batch that was ever received: its file, period, publication, verdict and legal basis.",
    "checks": "What the landing gate found on every accepted or judged batch; counts and codes, no values.",
    "releases": "The releases that are kept and the one that is being built.",
    "rejected_rows": "Rows of person-level batches that were rejected at reading, by reason; counts only.",
    "person_rules": "What the legal basis in force asks of person-level feeds: whether opt-outs apply.",
    "sent_order": "The order of records that nothing but their identifier as sent tells apart.",
}


class NothingAccepted(Exception):
    """There is nothing to publish."""


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["operations", name],
            deps=[["landing", feed] for feed in catalogue.feeds()],
            description=description,
            group_name="operations",
            owners=["team:data-engineering"],
            kinds={"python", "parquet"},
        )
        for name, description in DESCRIPTIONS.items()
    ],
    pool="build",
    required_resource_keys={ONE_RUN},
)
def operations(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
    """Write the records."""
    here = settings.load()
    held = Landing(here).batches()
    batches = [records.batch_row(one) for one in held]
    if not any(row["verdict"] == "accepted" for row in batches):
        raise NothingAccepted("no batch is accepted yet: receive a file first")
    judged = {}
    for feed in catalogue.feeds().values():
        judged |= {(feed.feed, sha256): checks for sha256, checks in intake.judge_accepted(here, feed).items()}
    checks = [row for one in held for row in records.check_rows(one, judged.get((one.feed, one.sha256), one.checks))]
    release_id = f"{settings.now():%Y%m%dT%H%M%S}Z-{context.run_id[:8]}"
    order = sent_order.find(here)
    rows = {
        "feeds": records.feed_rows(),
        "batches": batches,
        "checks": checks,
        "releases": records.release_rows(here, release_id, batches),
        "rejected_rows": [row for one in held for row in records.rejected_rows(one)],
        "person_rules": records.person_rules_rows(),
        "sent_order": order.rows,
    }
    for name, written in rows.items():
        records.write(here, name, written)
        yield dg.MaterializeResult(asset_key=["operations", name], metadata={"dagster/row_count": len(written)})
    sent_order.remember(here, order)
