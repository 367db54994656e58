{%- set return = 'partition by feed, org_code, length_of_period' -%}
with figures as (
    select
        r.feed,
        v.org_code,
        v.period_start,
        v.period_end,
        v.value,
        v.batch,
        case when v.period_start = v.period_end then 'day' else 'longer' end as length_of_period,
        lag(v.value) over (
            partition by v.metric_id, v.org_code order by v.period_start nulls last, v.period_end nulls last
        ) as value_before
    from {{ ref('int_observations__versions') }} as v
    inner join {{ ref('metrics') }} as r
        on v.metric_id = r.metric_id
    where v.known_to is null and r.kind <> 'cumulative'
),

returns as (
    select
        feed,
        org_code,
        length_of_period,
        period_start,
        period_end,
        max(batch) as batch,
        count(*) as figures,
        count(value) as figures_reported,
        count(case when value <> 0 then 1 end) >= 3 and count(case when value <> value_before then 1 end) = 0
        and count(value) = count(value_before) as is_repeated
    from figures
    group by feed, org_code, length_of_period, period_start, period_end
)

select
    feed,
    org_code,
    length_of_period,
    period_start,
    period_end,
    batch,
    figures,
    figures_reported,
    is_repeated,
    sum(case when is_repeated then 0 else 1 end) over (
        {{ return }} order by period_start nulls last, period_end nulls last
        rows between unbounded preceding and current row
    ) as run
from returns
