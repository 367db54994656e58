-- Successions known now: of each pair of codes what the newest list says that names it, events of the future left out.
with known as (
    select cast(max(known_from) as date) as newest_day
    from {{ ref('stg_batches') }}
    where verdict = 'accepted'
),

stated as (
    select
        s.org_code,
        s.successor_code,
        s.effective_date,
        rank() over (
            partition by s.org_code, s.successor_code
            order by b.known_from desc nulls last, b.received_at desc nulls last, b.batch desc nulls last
        ) as place
    from {{ ref('stg_ods_succession') }} as s
    inner join {{ ref('stg_batches') }} as b
        on b.feed = 'ods_succession' and s.batch = b.batch
)

select distinct
    s.org_code,
    s.successor_code,
    s.effective_date
from stated as s
cross join known as k
where s.place = 1 and s.effective_date <= k.newest_day
