"""The records that dbt turns into the marts of quality and releases and that date every figure."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines import building, settings
from pipelines.adapters import catalogue, governing
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
    can_subset=True,
    pool="build",
    required_resource_keys={ONE_RUN},
)
def operations(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
    """Write the records; that of releases alone when the last build is to be released again."""
    here = settings.load()
    wanted = {key.path[-1] for key in context.selected_asset_keys}
    written = {}
    if wanted == {building.RELEASES}:
        building.require_standing(here)
    else:
        written = building.take_stock(here)
        # What may not be released is not made: said before the models, with the basis by name.
        governing.of_release(here)
    if building.RELEASES in wanted:
        release_id = f"{settings.now():%Y%m%dT%H%M%S}Z-{context.run_id[:8]}"
        written[building.RELEASES] = building.announce(here, release_id)
    for name, rows in written.items():
        if name in wanted:
            yield dg.MaterializeResult(asset_key=["operations", name], metadata={"dagster/row_count": rows})
