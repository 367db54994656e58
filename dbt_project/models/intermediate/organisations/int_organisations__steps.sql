-- One step of following a code, for every code of the succession list and every day: which code its figure of that day
-- is counted as next, and on which day that code is looked up (`looked_up_on`; null: on the day of the figure).
{%- set always = "date '1900-01-01'" -%}
{%- set never = "date '9999-12-31'" %}
with successions as (
    select
        org_code,
        successor_code,
        effective_date
    from {{ ref('int_organisations__successions') }}
),

-- What a code became on its last day of succession. One that names itself goes on with a part of itself.
last_days as (
    select
        org_code,
        max(effective_date) as last_day
    from successions
    group by org_code
),

endings as (
    select
        s.org_code,
        s.effective_date as last_day,
        count(distinct s.successor_code) as successors,
        min(s.successor_code) as successor_code,
        max(case when s.successor_code = s.org_code then 1 else 0 end) as goes_on
    from successions as s
    inner join last_days as l
        on s.org_code = l.org_code and s.effective_date = l.last_day
    group by s.org_code, s.effective_date
),

-- The event that made a code, when the trust list says that it is not older than the event.
opened as (
    select
        org_code,
        max(open_date) as open_date
    from {{ ref('stg_ods_trusts') }}
    group by org_code
),

first_days as (
    select
        successor_code as org_code,
        min(effective_date) as first_day
    from successions
    where org_code <> successor_code
    group by successor_code
),

beginnings as (
    select
        f.org_code,
        f.first_day,
        count(distinct s.org_code) as predecessors,
        min(s.org_code) as predecessor_code
    from first_days as f
    inner join opened as o
        on f.org_code = o.org_code and f.first_day <= o.open_date
    inner join successions as s
        on f.org_code = s.successor_code and f.first_day = s.effective_date and s.org_code <> s.successor_code
    group by f.org_code, f.first_day
),

codes as (
    select org_code
    from successions
    union
    select successor_code as org_code
    from successions
),

spans as (
    select
        c.org_code,
        coalesce(b.first_day, {{ always }}) as first_day,
        coalesce(e.last_day, {{ never }}) as last_day,
        b.predecessors,
        b.predecessor_code,
        e.successors,
        e.successor_code,
        coalesce(e.goes_on, 0) as goes_on
    from codes as c
    left join beginnings as b
        on c.org_code = b.org_code
    left join endings as e
        on c.org_code = e.org_code
),

-- Days of succession with all that happens from each of them on. The part that goes on counts while it does.
event_days as (
    select
        org_code,
        effective_date,
        coalesce(
            lag(effective_date) over (partition by org_code order by effective_date nulls last), {{ always }}
        ) as day_before
    from successions
    group by org_code, effective_date
),

onward as (
    select
        d.org_code,
        d.day_before,
        d.effective_date,
        count(distinct s.successor_code) as successors,
        min(s.successor_code) as successor_code
    from event_days as d
    inner join successions as s
        on d.org_code = s.org_code and d.effective_date <= s.effective_date
    inner join spans as p
        on d.org_code = p.org_code
    where s.org_code <> s.successor_code or p.goes_on = 1
    group by d.org_code, d.day_before, d.effective_date
),

steps as (
    -- Used after its last succession: a feed that adopts the new code late.
    {%- for view in ['as_at_date', 'as_current'] %}
    select
        '{{ view }}' as organisation_view,
        org_code,
        last_day as valid_from,
        {{ never }} as valid_to,
        case when successors = 1 and goes_on = 0 then successor_code else org_code end as next_code,
        cast(null as date) as looked_up_on,
        successors = 1 or goes_on = 1 as is_apportionable
    from spans
    where successors > 0
    union all
    {%- endfor %}
    -- Used before the event that made it: a feed that takes the new code back in time.
    select
        'as_at_date' as organisation_view,
        org_code,
        {{ always }} as valid_from,
        least(first_day, last_day) as valid_to,
        case when predecessors = 1 then predecessor_code else org_code end as next_code,
        cast(null as date) as looked_up_on,
        predecessors = 1 as is_apportionable
    from spans
    where predecessors > 0
    union all
    select
        'as_at_date' as organisation_view,
        org_code,
        first_day as valid_from,
        last_day as valid_to,
        org_code as next_code,
        cast(null as date) as looked_up_on,
        true as is_apportionable
    from spans
    where first_day < last_day
    union all
    -- What comes after the figure's day decides what it is counted as today, followed on from that event.
    select
        'as_current' as organisation_view,
        org_code,
        day_before as valid_from,
        effective_date as valid_to,
        case when successors = 1 then successor_code else org_code end as next_code,
        case when successors = 1 then effective_date end as looked_up_on,
        successors = 1 as is_apportionable
    from onward
    union all
    select
        'as_current' as organisation_view,
        org_code,
        {{ always }} as valid_from,
        {{ never }} as valid_to,
        org_code as next_code,
        cast(null as date) as looked_up_on,
        true as is_apportionable
    from spans
    where successors is null
)

select
    organisation_view,
    org_code,
    valid_from,
    valid_to,
    next_code,
    looked_up_on,
    is_apportionable
from steps
