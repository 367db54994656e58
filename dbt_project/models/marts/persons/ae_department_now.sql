{{ config(materialized='by_period', made_of='int_ae__attendances', dirty='int_ae__dirty_hours', day='cast(hour_at as date)') }}
{%- set key = ['hour_at', 'department_type'] -%}
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

dated as (
    select
        l.hour_at,
        case when l.hour_at >= n.starts_at then n.date else n.date - 1 end as date
    from (select distinct hour_at from leaf) as l
    inner join {{ ref('int_clock__days') }} as n
        on cast(l.hour_at as date) + 1 = n.date
),

typed as (
    select
        l.*,
        d.date,
        placed.region_code,
        placed.icb_code
    from leaf as l
    inner join dated as d
        on l.hour_at = d.hour_at
    {{ placed_on('l', 'd.date') }}
),

every_type as (
    select *
    from typed
    union all
    select
        hour_at,
        provider_code,
        site_code,
        'all' as department_type,
        patients,
        waiting,
        earliest_arrival_at,
        date,
        region_code,
        icb_code
    from typed
),

figures as (
    {%- for level, code, has in hospital_levels() %}
    select
        hour_at,
        date,
        '{{ level }}' as org_level,
        {{ code }} as org_code,
        department_type,
        sum(patients) as patients_in_department,
        sum(waiting) as patients_waiting_for_bed,
        min(earliest_arrival_at) as earliest_arrival_at
    from every_type
    where {{ has }}
    group by hour_at, date, department_type{{ ', ' ~ code if level != 'nation' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{{ coverage('int_ae__expected', 'every_type', key, 'date') }}

select
    f.hour_at,
    f.hour_at = h.horizon_at as is_latest,
    f.org_level,
    f.org_code,
    {{ name_of_organisation() }} as org_name,
    f.department_type,
    cast(f.patients_in_department as bigint) as patients_in_department,
    cast(f.patients_waiting_for_bed as bigint) as patients_waiting_for_bed,
    cast({{ minutes_between('f.earliest_arrival_at', 'f.hour_at') }} as bigint) as oldest_wait_minutes,
    {{ coverage_columns() }}
{{ with_coverage('figures', key, 'f.date') }}
cross join {{ ref('int_ae__horizon') }} as h
