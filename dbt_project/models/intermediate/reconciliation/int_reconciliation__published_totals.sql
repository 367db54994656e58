-- What is known now of a metric and period, added over providers, beside the totals that its own publication prints
-- for England and for every region. A total of nothing but missing cells is printed as 0.
with printed as (
    {%- for feed in var('figure_feeds') %}
    select
        '{{ feed }}' as feed,
        s.metric_id,
        s.period_start,
        s.period_end,
        s.batch,
        case when s.record = 'published_nation' then '{{ var('nation') }}' else s.region_code end as org_code,
        s.value
    from {{ ref('stg_' ~ feed) }} as s
    where s.record in ('published_nation', 'published_region')
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

current_printed as (
    select
        t.metric_id,
        t.period_start,
        t.period_end,
        t.org_code,
        t.value,
        p.known_from
    from printed as t
    inner join {{ ref('int_observations__publications') }} as p
        on
            t.feed = p.feed
            and t.batch = p.batch
            and t.metric_id = p.metric_id
            and t.period_start = p.period_start
            and t.period_end = p.period_end
    where p.known_to is null and p.complete_for = 'all'
),

by_region as (
    select
        metric_id,
        period_start,
        period_end,
        region_code,
        sum({{ exact('value') }}) as value
    from {{ ref('int_observations__versions') }}
    where known_to is null
    group by metric_id, period_start, period_end, region_code
),

ours as (
    select
        metric_id,
        period_start,
        period_end,
        region_code as org_code,
        value
    from by_region
    union all
    select
        metric_id,
        period_start,
        period_end,
        '{{ var('nation') }}' as org_code,
        sum(value) as value
    from by_region
    group by metric_id, period_start, period_end
)

select
    c.metric_id,
    c.org_code,
    c.period_start,
    c.period_end,
    cast(coalesce(o.value, 0) as double) as added_value,
    coalesce(c.value, 0) as printed_value,
    c.known_from
from current_printed as c
left join ours as o
    on
        c.metric_id = o.metric_id
        and c.period_start = o.period_start
        and c.period_end = o.period_end
        and c.org_code = o.org_code
