-- A publication is complete for the metrics and periods that it carries, of all organisations or, where a feed publishes
-- each on its own, of one: what it carries is known from its own date to the date of the next one that carries the same.
with published as (
    select
        feed,
        batch,
        metric_id,
        period_start,
        period_end,
        case
            when feed in ('{{ var('publications_by_organisation') | join("', '") }}') then org_code
            else 'all'
        end as complete_for
    from {{ ref('int_observations__published') }}
),

carried as (
    select
        feed,
        batch,
        metric_id,
        period_start,
        period_end,
        complete_for
    from published
    group by feed, batch, metric_id, period_start, period_end, complete_for
),

ranked as (
    select
        c.feed,
        c.batch,
        c.metric_id,
        c.period_start,
        c.period_end,
        c.complete_for,
        b.known_from,
        row_number() over (
            partition by c.metric_id, c.period_start, c.period_end, c.complete_for, b.known_from
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
    complete_for,
    known_from,
    lead(known_from) over (
        partition by metric_id, period_start, period_end, complete_for order by known_from nulls last
    ) as known_to,
    count(*) over (partition by metric_id, period_start, period_end, complete_for) as publications
from ranked
where place = 1
