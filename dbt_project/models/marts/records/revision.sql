-- What a later publication changed: the next version of a figure, or none of it where the publication dropped it.
with known as (
    select
        v.metric_id,
        v.org_code,
        v.period_start,
        v.period_end,
        v.known_from,
        v.value,
        v.status,
        v.batch
    from {{ ref('int_observations__versions') }} as v
    union all
    select
        v.metric_id,
        v.org_code,
        v.period_start,
        v.period_end,
        v.known_to as known_from,
        cast(null as double) as value,
        'withdrawn' as status,
        p.batch
    from {{ ref('int_observations__versions') }} as v
    inner join {{ ref('int_observations__publications') }} as p
        on
            v.metric_id = p.metric_id
            and v.period_start = p.period_start
            and v.period_end = p.period_end
            and v.known_to = p.known_from
            and p.complete_for in ('all', v.org_code)
    left join {{ ref('int_observations__versions') }} as n
        on
            v.metric_id = n.metric_id
            and v.org_code = n.org_code
            and v.period_start = n.period_start
            and v.period_end = n.period_end
            and v.known_to = n.known_from
    where n.metric_id is null
),

compared as (
    select
        metric_id,
        org_code,
        period_start,
        period_end,
        known_from as revised_at,
        lag(known_from) over (partition by metric_id, org_code, period_start, period_end order by known_from nulls last) as known_before,
        min(known_from) over (partition by metric_id, org_code, period_start, period_end) as known_first,
        lag(value) over (partition by metric_id, org_code, period_start, period_end order by known_from nulls last) as value_before,
        value as value_after,
        lag(status) over (partition by metric_id, org_code, period_start, period_end order by known_from nulls last) as status_before,
        status as status_after,
        batch,
        lag(batch) over (partition by metric_id, org_code, period_start, period_end order by known_from nulls last) as batch_before
    from known
)

select
    metric_id,
    org_code,
    period_start,
    period_end,
    revised_at,
    known_before,
    value_before,
    value_after,
    cast({{ exact('value_after') }} - {{ exact('value_before') }} as double) as change,
    {{ ratio('value_after - value_before', 'abs(value_before)') }} as relative_change,
    cast({{ dbt.datediff('known_before', 'revised_at', 'day') }} as bigint) as days_after,
    cast({{ dbt.datediff('known_first', 'revised_at', 'day') }} as bigint) as days_after_first,
    status_before,
    status_after,
    batch,
    batch_before
from compared
where known_before is not null
