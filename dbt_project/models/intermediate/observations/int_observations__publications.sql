-- A publication is complete for the metrics and periods that it carries: what it carries is known from its own
-- date to the date of the next one that carries the same.
with carried as (
    select
        feed,
        batch,
        metric_id,
        period_start,
        period_end
    from {{ ref('int_observations__published') }}
    group by feed, batch, metric_id, period_start, period_end
),

ranked as (
    select
        c.feed,
        c.batch,
        c.metric_id,
        c.period_start,
        c.period_end,
        b.known_from,
        row_number() over (
            partition by c.metric_id, c.period_start, c.period_end, b.known_from
            order by b.received_at desc nulls last, c.batch desc nulls last
        ) as place
    from carried as c
    inner join {{ ref('stg_batches') }} as b
        on c.feed = b.feed and c.batch = b.batch
)

select
    feed,
    batch,
    metric_id,
    period_start,
    period_end,
    known_from,
    lead(known_from) over (
        partition by metric_id, period_start, period_end order by known_from nulls last
    ) as known_to,
    count(*) over (partition by metric_id, period_start, period_end) as publications
from ranked
where place = 1
