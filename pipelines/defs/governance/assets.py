"""The governance records as an asset: what governs what today, and a warning before a legal basis lapses."""

import dagster as dg

from pipelines import settings
from pipelines.adapters import catalogue, governing
from pipelines.adapters.generated_docs import as_table
from pipelines.components.one_run import ONE_RUN

NO_BASIS_LAPSES = "no_basis_lapses"


@dg.asset(
    key="governance",
    group_name="operations",
    description="Agreements, legal bases, opt-outs and dispositions (`governance/*.yaml`), as they govern today.",
    owners=["team:information-governance"],
    kinds={"yaml"},
    check_specs=[
        dg.AssetCheckSpec(
            NO_BASIS_LAPSES,
            asset="governance",
            description="No legal basis that governs an agreement ends within eight weeks.",
        )
    ],
    required_resource_keys={ONE_RUN},
)
def governance(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Show what governs each dataset; warn of every basis that is about to end."""
    today = settings.today()
    rows = governing.on_day(settings.load(), today, today)
    head = ["feed", "agreement", "basis", "basis_ends_as_known", "opt_outs_apply", "dpia", "disposition"]
    table = as_table(head, [[str(row[name] or "") for name in head] for row in rows])
    lapsing = catalogue.register().lapsing(today)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(rows),
            "governs": dg.MetadataValue.md(table),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=NO_BASIS_LAPSES,
                passed=not lapsing,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"lapsing": dg.MetadataValue.md("\n".join(f"- {lapse}" for lapse in lapsing) or "none")},
            )
        ],
    )
