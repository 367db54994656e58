-- Days (UTC) on which who is in a bed changed, or was never worked out.
{%- set spans = bed_spans() %}
{%- set changed = bed_spans(changed=true) %}
{%- set horizon = ref('int_spells__horizon') %}
{%- set submitted = days_of_new_submissions('int_spells__submissions', 'int_spells__horizon') %}
{%- set columns = ['record_key', 'provider_code', 'site_code', 'practice_code', 'bed_type', 'starts_at', 'covid_from_date'] %}
{%- set delta = is_delta('occupancy_hourly') and is_delta('occupancy_daily_person_level') %}
{%- if delta %}
-- A span that only ends at another time changed from the earlier of the two ends on: most of a night's changes are
-- discharges of open stays.
with spans as (
    {{ changed }}
),

changed as (
    select
        case
            when count(*) = 2 and bool_or(is_new) and not bool_and(is_new) then min({{ or_never('ends_at') }})
            else min(starts_at)
        end as starts_at,
        max({{ or_never('ends_at') }}) as ends_at
    from spans
    group by {{ columns | join(', ') }}
    having count(*) <> 2 or bool_and(is_new) or not bool_or(is_new) or count(distinct {{ or_never('ends_at') }}) > 1
),
{%- else %}
with changed as (
    select
        starts_at,
        {{ or_never('ends_at') }} as ends_at
    from (
        {{ spans }}
    ) as s
),
{%- endif %}

bounded as (
    select
        cast(c.starts_at as date) as first_day,
        cast(least(c.ends_at, h.horizon_at) as date) as last_day
    from changed as c
    cross join {{ horizon }} as h
),

days as (
    {{ days_within('bounded', 'r.first_day', 'r.last_day') }}
    {%- if delta %}
    union
    {{ submitted }}
    union
    select {{ each_day('k.last_day', 'cast(h.horizon_at as date)') }} as date
    from (select cast(max(hour_at) as date) as last_day from {{ kept('occupancy_hourly') }}) as k
    cross join {{ horizon }} as h
    where k.last_day is not null
    {%- endif %}
)

select date
from days
