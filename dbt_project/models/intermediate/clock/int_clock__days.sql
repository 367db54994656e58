-- Days as London has them. Clocks never change at midnight or at eight, so both exist once on every day.
with days as (
    {{ dbt.date_spine('day', "cast('1970-01-01' as date)", "cast('2051-01-01' as date)") }}
),

wall as (
    select
        cast(date_day as date) as date,
        cast(date_day as timestamp) as midnight,
        {{ later('cast(date_day as timestamp)', 8, 'hour') }} as eight,
        {{ later('cast(date_day as timestamp)', -1, 'hour') }} as midnight_in_summer,
        {{ later('cast(date_day as timestamp)', 7, 'hour') }} as eight_in_summer
    from days
),

instants as (
    select
        w.date,
        case when m.starts_at is null then w.midnight else w.midnight_in_summer end as starts_at,
        case when e.starts_at is null then w.eight else w.eight_in_summer end as eight_at
    from wall as w
    left join {{ ref('summer_times') }} as m
        on w.midnight_in_summer >= m.starts_at and w.midnight_in_summer < m.ends_at
    left join {{ ref('summer_times') }} as e
        on w.eight_in_summer >= e.starts_at and w.eight_in_summer < e.ends_at
)

select
    date,
    starts_at,
    lead(starts_at) over (order by date) as ends_at,
    eight_at
from instants
