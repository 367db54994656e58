-- Days late count from the end of a publication's period. One that states when it was revised is dated by that.
with accepted as (
    select
        b.feed,
        b.batch,
        b.known_from,
        f.published_every,
        f.late_after_days,
        f.fresh_for_days,
        -- A list has no period: it is as old as its receipt, as `datastore status` has it.
        coalesce(b.period_end, cast(b.received_at as date)) as covers_to
    from {{ ref('stg_batches') }} as b
    inner join {{ ref('stg_feeds') }} as f
        on b.feed = f.feed
    where b.verdict = 'accepted'
)

select
    feed,
    batch,
    published_every,
    late_after_days,
    fresh_for_days,
    covers_to,
    greatest({{ dbt.datediff('covers_to', 'cast(known_from as date)', 'day') }} - late_after_days, 0) as days_late,
    row_number() over (
        partition by feed order by covers_to desc nulls last, known_from desc nulls last, batch asc nulls last
    ) = 1 as is_newest
from accepted
