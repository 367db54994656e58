-- A derived metric is published whenever one of its parts is, under the batch that carries the part (one, of several).
with derived as (
    select
        c.metric_id,
        p.period_start,
        p.period_end,
        p.complete_for,
        p.known_from,
        max(p.feed) as feed,
        max(p.batch) as batch
    from {{ ref('int_observations__components') }} as c
    inner join {{ ref('int_observations__publications') }} as p
        on c.component_id = p.metric_id
    where c.component_id <> c.metric_id
    group by c.metric_id, p.period_start, p.period_end, p.complete_for, p.known_from
)

select
    feed,
    batch,
    metric_id,
    period_start,
    period_end,
    complete_for,
    known_from,
    known_to
from {{ ref('int_observations__publications') }}

union all

select
    feed,
    batch,
    metric_id,
    period_start,
    period_end,
    complete_for,
    known_from,
    lead(known_from) over (
        partition by metric_id, period_start, period_end, complete_for order by known_from nulls last
    ) as known_to
from derived
