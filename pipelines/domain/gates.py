"""What the landing gate looks at: small tables made of a batch, each row a thing that can be right or wrong.

A rule (`expectations/landing/<feed>.yaml`) names a view and states one expectation on it. Views carry the place of
each row in the file (sheet, row, column) and the organisation, so that a broken rule can be named without a value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl
from pydantic import Field

from pipelines.domain.feeds import PROVIDER, PUBLISHED_NATION, PUBLISHED_REGION
from pipelines.domain.strict import Strict

PLACE = ["source_sheet", "source_row", "source_column"]
NATION = "E92000001"
# Below this a ratio between two publications says nothing.
TOO_SMALL_TO_COMPARE = 1_000


class Rule(Strict):
    """One quality rule: what is expected of a view, how bad it is when broken, and why."""

    id: str
    severity: Literal["error", "warn"]
    reason: str
    view: str
    options: dict[str, Any] = Field(default_factory=dict)
    expectation: dict[str, Any]


class Suite(Strict):
    """The rules of one feed or product; one YAML file."""

    subject: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Batch:
    """What the views are made of: a batch's rows, the publication before it, and the days that bound it."""

    rows: pl.DataFrame
    last_day: dt.date
    previous: pl.DataFrame | None = None
    icb_codes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Broken:
    """A row of a view that breaks a rule: its place and organisation, no value."""

    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    org_code: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of one rule on one batch. `question` tells, as a digest, what was asked of what."""

    rule: Rule
    checked: int
    broken: int
    rows: tuple[Broken, ...] = field(default=())
    question: str = ""

    @property
    def passed(self) -> bool:
        """Whether every row kept the rule."""
        return self.broken == 0


View = Callable[[Batch, Mapping[str, Any]], pl.DataFrame]


def figures(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per published cell with a value: `value`, `fraction` (distance to a whole number)."""
    return batch.rows.filter(pl.col("value").is_not_null()).select(
        "value", "org_code", *PLACE, fraction=(pl.col("value") - pl.col("value").round()).abs()
    )


def repeated_cells(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per provider and measure: `times` it stands in the file for one period (the worst period)."""
    keys = ["org_code", "metric_id"]
    return (
        batch.rows.filter(pl.col("record") == PROVIDER)
        .group_by(*keys, "period_start")
        .agg(times=pl.len(), source_sheet=pl.first("source_sheet"), source_row=pl.max("source_row"))
        .group_by(keys)
        .agg(pl.max("times"), pl.first("source_sheet"), pl.max("source_row"))
        .sort(keys)
    )


def parts_within_wholes(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per provider, period and pair of `options[pairs]` (part: whole): `part`, `whole`; both reported."""
    pairs = pl.DataFrame(
        {"metric_id": list(options["pairs"]), "whole_id": list(options["pairs"].values())},
        schema={"metric_id": pl.String, "whole_id": pl.String},
    )
    keys = ["record", "org_code", "region_code", "period_start"]
    wholes = batch.rows.select(*keys, whole_id="metric_id", whole="value")
    return (
        batch.rows.join(pairs, on="metric_id")
        .join(wholes, on=[*keys, "whole_id"], nulls_equal=True)
        .filter(pl.col("value").is_not_null() & pl.col("whole").is_not_null())
        .select("org_code", *PLACE, part="value", whole="whole", over=pl.col("value") - pl.col("whole"))
    )


def sums(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per whole of `options[wholes]` (whole: its parts), organisation or total, and period.

    `difference` is the sum of the parts less the whole; only where the whole and every part are reported.
    """
    links = pl.DataFrame(
        [(part, whole) for whole, parts in options["wholes"].items() for part in parts],
        schema={"metric_id": pl.String, "whole_id": pl.String},
        orient="row",
    )
    counts = links.group_by(whole_id="whole_id").agg(needed=pl.len())
    keys = ["record", "org_code", "region_code", "period_start", "period_end"]
    reported = batch.rows.filter(pl.col("value").is_not_null())
    added = reported.join(links, on="metric_id").group_by(*keys, "whole_id").agg(pl.len(), pl.col("value").sum())
    complete = (
        added.join(counts, on="whole_id").filter(pl.col("len") == pl.col("needed")).select(*keys, "whole_id", "value")
    )
    return (
        reported.join(
            complete,
            left_on=[*keys, "metric_id"],
            right_on=[*keys, "whole_id"],
            nulls_equal=True,
            suffix="_of_parts",
            maintain_order="left",
        )
        .with_columns(difference=pl.col("value_of_parts") - pl.col("value"))
        .select("org_code", "metric_id", *PLACE, "difference")
    )


def totals_to_date(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per figure of `options[whole]`: the organisation's parts, over all periods, less it and as `share` of it.

    The parts are the metrics that begin with one of `options[parts]`: a running total of days, or of age bands that
    differ from issue to issue.
    """
    keys = ["record", "org_code", "region_code"]
    is_part = pl.any_horizontal(pl.col("metric_id").str.starts_with(prefix) for prefix in options["parts"])
    added = batch.rows.filter(is_part).group_by(keys).agg(added=pl.col("value").sum())
    return (
        batch.rows.filter((pl.col("metric_id") == options["whole"]) & pl.col("value").is_not_null())
        .join(added, on=keys, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(pl.col("added").fill_null(0))
        .select(
            "org_code", *PLACE, difference=pl.col("added") - pl.col("value"), share=pl.col("added") / pl.col("value")
        )
    )


def areas_within_nation(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per measure, period and kind of area (the first letter of its codes): `over` is their sum less England's.

    For publications whose areas are figures of their own and leave people out whom England counts.
    """
    keys = ["metric_id", "period_start", "period_end"]
    is_nation = pl.col("org_code") == NATION
    areas = (
        batch.rows.filter(~is_nation).group_by(*keys, kind=pl.col("org_code").str.head(1)).agg(pl.col("value").sum())
    )
    return (
        batch.rows.filter(is_nation)
        .join(areas, on=keys, suffix="_of_areas", maintain_order="left")
        .select("org_code", *PLACE, over=pl.col("value_of_areas") - pl.col("value"))
    )


def published_totals(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per total that the file publishes: our sum of the provider rows less the published figure.

    A region with provider rows but no published row, on a sheet that publishes regions, counts as published 0.
    """
    providers = batch.rows.filter(pl.col("record") == PROVIDER)
    keys = ["metric_id", "period_start"]
    total = pl.col("value").sum().alias("ours")
    nation = (
        batch.rows.filter(pl.col("record") == PUBLISHED_NATION)
        .join(providers.group_by(keys).agg(total), on=keys, how="left")
        .with_columns(level=pl.lit("nation"))
    )
    published = batch.rows.filter(pl.col("record") == PUBLISHED_REGION)
    with_regions = published.select(keys).unique()
    region = published.join(
        providers.filter(pl.col("region_code").is_not_null())
        .join(with_regions, on=keys, how="semi")
        .group_by(*keys, "region_code")
        .agg(total),
        on=[*keys, "region_code"],
        how="full",
        coalesce=True,
    ).with_columns(level=pl.lit("region"))
    columns = ["level", "region_code", *keys, "value", "ours", *PLACE]
    return pl.concat([nation.select(columns), region.select(columns)]).with_columns(
        org_code=pl.when(pl.col("level") == "nation").then(pl.lit(NATION)).otherwise(pl.col("region_code")),
        difference=pl.col("ours").fill_null(0) - pl.col("value").fill_null(0),
    )


def periods(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per period: `days_beyond` the last day that the publication could know (publication, else receipt)."""
    return (
        batch.rows.group_by("period_start", "period_end")
        .agg(pl.first("source_sheet"), pl.first("source_row"), pl.first("source_column"))
        .with_columns(days_beyond=(pl.col("period_end") - pl.lit(batch.last_day)).dt.total_days())
        .sort("period_start")
    )


def against_previous(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per measure that this publication and the one before carry: providers and totals of their last period.

    `provider_share` is providers now over providers before; `ratio` the totals' (null when too small to compare). With
    `options[org_code]` only of that organisation, in publications whose organisations do not add up.
    """
    if batch.previous is None:
        return pl.DataFrame(schema={"metric_id": pl.String, "provider_share": pl.Float64, "ratio": pl.Float64})
    one = pl.col("org_code") == options["org_code"] if "org_code" in options else pl.lit(True)
    now, before = _last_period(batch.rows.filter(one)), _last_period(batch.previous.filter(one))
    large = (pl.col("total") >= TOO_SMALL_TO_COMPARE) & (pl.col("total_before") >= TOO_SMALL_TO_COMPARE)
    return (
        now.join(before, on="metric_id", suffix="_before")
        .filter(pl.col("providers_before") > 0)
        .select(
            "metric_id",
            provider_share=pl.col("providers") / pl.col("providers_before"),
            ratio=pl.when(large).then(pl.col("total") / pl.col("total_before")),
        )
        .sort("metric_id")
    )


def _last_period(rows: pl.DataFrame) -> pl.DataFrame:
    providers = rows.filter(pl.col("record") == PROVIDER)
    return (
        providers.filter(pl.col("period_start") == pl.col("period_start").max().over("metric_id"))
        .group_by("metric_id")
        .agg(providers=pl.col("org_code").n_unique(), total=pl.col("value").sum())
    )


def new_providers(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per provider: `is_known` when the publication before had it.

    All are known when there is none before, or none of the same measures (another layout of the feed).
    """
    providers = batch.rows.filter(pl.col("record") == PROVIDER)
    now = providers.group_by("org_code").agg(pl.first("source_sheet"), pl.min("source_row"))
    before = providers
    if batch.previous is not None:
        earlier = batch.previous.filter(pl.col("record") == PROVIDER)
        if not earlier.join(providers, on="metric_id", how="semi").is_empty():
            before = earlier
    known = before.get_column("org_code").unique().to_list()
    return now.with_columns(is_known=pl.col("org_code").is_in(known)).sort("org_code")


def listed(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per line of a list: `times` its code stands there, its dates as `days_open`, its `icb_is_known`."""
    rows = batch.rows.with_columns(times=pl.len().over("org_code"))
    if "open_date" in rows.columns:
        rows = rows.with_columns(days_open=(pl.col("close_date") - pl.col("open_date")).dt.total_days())
    if "icb_code" in rows.columns:
        rows = rows.with_columns(icb_is_known=pl.col("icb_code").is_in(list(batch.icb_codes)))
    return rows.select(
        pl.selectors.by_name("times", "days_open", "icb_is_known", "org_code", "source_row", require_all=False)
    )


def intervals(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per line of a list of dated memberships: org_code belongs to parent_code from join_date to leave_date.

    `days_inside` from its first day to its last; `days_after` the last day of what the organisation belonged to before
    (an open end has no last day, so that whatever follows comes before it).
    """
    last = pl.col("leave_date").fill_null(dt.date.max)
    return (
        batch.rows.sort("org_code", "join_date", "source_row")
        .with_columns(before=last.cum_max().shift().over("org_code"))
        .select(
            "org_code",
            "source_row",
            days_inside=(pl.col("leave_date") - pl.col("join_date")).dt.total_days(),
            days_after=(pl.col("join_date") - pl.col("before")).dt.total_days(),
        )
    )


def successions(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row per succession: `times` it stands in the list, whether it `is_circular` or `is_of_itself_alone`.

    Circular: whoever follows the successors comes back to the code. A code may be listed as its own successor only
    beside another on the same day: it goes on with a part of itself.
    """
    key = ["org_code", "successor_code", "effective_date"]
    rows = batch.rows.with_columns(times=pl.len().over(key), is_self=pl.col("org_code") == pl.col("successor_code"))
    links = ["org_code", "successor_code"]
    left, circular = None, rows.filter(~pl.col("is_self")).select(links).unique()
    while left is None or circular.height < left.height:  # take away what nothing leads to, or what leads nowhere
        left = circular
        circular = left.join(left, left_on="org_code", right_on="successor_code", how="semi").join(
            left, left_on="successor_code", right_on="org_code", how="semi"
        )
    circular = circular.with_columns(is_circular=True)
    return rows.join(circular, on=links, how="left", maintain_order="left").select(
        "org_code",
        "source_row",
        "times",
        is_circular=pl.col("is_circular").fill_null(False),
        is_of_itself_alone=pl.col("is_self") & pl.col("is_self").all().over("org_code", "effective_date"),
    )


def list_against_previous(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """One row when there is a list before: `share` of its codes that this one still holds."""
    if batch.previous is None or batch.previous.is_empty():
        return pl.DataFrame(schema={"share": pl.Float64})
    before = batch.previous.get_column("org_code").unique()
    return pl.DataFrame({"share": [before.is_in(batch.rows.get_column("org_code").unique().to_list()).mean()]})


def profile(batch: Batch, options: Mapping[str, Any]) -> pl.DataFrame:
    """The row of `options[measure]` in the profile of a person-level batch: `checked`, `broken`, `share`.

    The share is told in whole per cent, rounded up: a rule whose limit is a whole number of them says the same of it,
    and files that are much alike ask the gate the same question.
    """
    return batch.rows.filter(pl.col("measure") == options["measure"]).with_columns(
        share=(pl.col("share") * 100).round(9).ceil() / 100
    )


VIEWS: dict[str, View] = {
    view.__name__: view
    for view in (
        figures,
        repeated_cells,
        parts_within_wholes,
        sums,
        totals_to_date,
        areas_within_nation,
        published_totals,
        periods,
        against_previous,
        new_providers,
        listed,
        intervals,
        successions,
        list_against_previous,
        profile,
    )
}
