{%- set key = ['metric_id', 'org_code', 'period_start', 'period_end'] -%}
{%- set columns = key + [
    'known_from', 'known_to', 'value', 'status', 'status_reason', 'region_code', 'batch', 'source_sheet',
    'source_row', 'source_column'
] -%}
with dated as (
    select
        o.metric_id,
        o.org_code,
        o.period_start,
        o.period_end,
        p.known_from,
        p.known_to,
        p.publications,
        o.value,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        o.status,
        o.status_reason,
        o.region_code,
        o.batch,
        o.source_sheet,
        o.source_row,
        o.source_column
    from {{ ref('int_observations__published') }} as o
    inner join {{ ref('int_observations__publications') }} as p
        on
            o.feed = p.feed
            and o.batch = p.batch
            and o.metric_id = p.metric_id
            and o.period_start = p.period_start
            and o.period_end = p.period_end
            and p.complete_for in ('all', o.org_code)
),

-- Only figures that were published more than once can have versions to merge: the others pass through.
republished as (
    select *
    from dated
    where publications > 1
),

{{ merge_equal_versions('republished', with_source=true) }}

select
    {{ columns | join(',\n    ') }}
from dated
where publications = 1

union all

select
    {{ columns | join(',\n    ') }}
from merged
