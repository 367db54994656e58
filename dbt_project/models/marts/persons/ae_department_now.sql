{{ config(materialized='by_period', made_of='int_ae__attendances', dirty='int_ae__dirty_hours', day='cast(hour_at as date)') }}
{%- set day_before = later(first_day(), -9, 'day') -%}
with present as (
    select
        a.provider_code,
        a.site_code,
        case a.ec_department_type when '01' then 'type_1' when '02' then 'type_2' else 'other' end as department_type,
        a.arrival_at,
        {{ valid_decision('a') }} as decision_at,
        {{ present_until('a') }} as present_until
    from {{ ref('int_ae__attendances') }} as a
    where a.is_counted and a.arrival_date >= {{ day_before }} and a.arrival_date <= {{ end_day() }}
),

-- In the department from arrival on, and no more at the moment of departure.
bounded as (
    select
        p.*,
        greatest({{ next_full_hour('p.arrival_at') }}, cast({{ first_day() }} as timestamp)) as first_hour,
        least(
            {{ later('p.present_until', -1, 'minute') }}, {{ later('cast(' ~ end_day() ~ ' as timestamp)', -1, 'hour') }},
            h.horizon_at
        ) as last_hour
    from present as p
    cross join {{ ref('int_ae__horizon') }} as h
),

hours as (
    select
        b.provider_code,
        b.site_code,
        b.department_type,
        b.arrival_at,
        b.decision_at,
        {{ each_hour('b.first_hour', 'b.last_hour') }} as hour_at
    from bounded as b
),

leaf as (
    select
        h.hour_at,
        h.provider_code,
        h.site_code,
        h.department_type,
        count(*) as patients,
        count(case when h.decision_at <= h.hour_at then 1 end) as waiting,
        min(h.arrival_at) as earliest_arrival_at
    from hours as h
    where {{ is_written('cast(h.hour_at as date)', 'ae_department_now', ref('int_ae__dirty_hours')) }}
    group by h.hour_at, h.provider_code, h.site_code, h.department_type
),

every_type as (
    select *
    from leaf
    union all
    select
        hour_at,
        provider_code,
        site_code,
        'all' as department_type,
        sum(patients) as patients,
        sum(waiting) as waiting,
        min(earliest_arrival_at) as earliest_arrival_at
    from leaf
    group by hour_at, provider_code, site_code
),

{{ hourly_levels_of(
    'every_type', 'department_type', {'patients': 'sum', 'waiting': 'sum', 'earliest_arrival_at': 'min'}, 'int_ae__expected'
) }}

select
    f.hour_at,
    f.hour_at = h.horizon_at as is_latest,
    f.org_level,
    f.org_code,
    {{ name_of_organisation() }} as org_name,
    f.department_type,
    cast(f.patients as bigint) as patients_in_department,
    cast(f.waiting as bigint) as patients_waiting_for_bed,
    cast({{ minutes_between('f.earliest_arrival_at', 'f.hour_at') }} as bigint) as oldest_wait_minutes,
    {{ coverage_columns() }}
{{ with_expectation('date') }}
cross join {{ ref('int_ae__horizon') }} as h
