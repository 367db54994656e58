{{ config(materialized='by_period', made_of='int_ae__attendances', dirty='int_ae__dirty_arrivals', day='date') }}
{%- set measures = ['time_to_assessment', 'time_to_treatment', 'time_in_department'] -%}
{%- set key = ['date', 'department_type'] -%}
with attendances as (
    select
        a.arrival_date as date,
        a.provider_code,
        a.site_code,
        a.practice_code,
        placed.region_code,
        placed.icb_code,
        case a.ec_department_type when '01' then 'type_1' when '02' then 'type_2' else 'other' end as department_type,
        {{ valid_minutes('a', 'ec_initial_assessment_at') }} as time_to_assessment,
        {{ valid_minutes('a', 'ec_seen_for_treatment_at') }} as time_to_treatment,
        cast({{ minutes_between('a.arrival_at', 'a.ec_departure_at') }} as smallint) as time_in_department,
        {{ minutes_between(valid_decision('a'), 'a.ec_departure_at') }} as time_waiting_for_bed
    from {{ ref('int_ae__attendances') }} as a
    {{ placed_on('a', 'a.arrival_date') }}
    where a.is_counted and {{ is_written('a.arrival_date', 'ae_waiting_times_daily', ref('int_ae__dirty_arrivals')) }}
),

figures as (
    {%- for level, code, has in hospital_levels() + [('gp_practice', 'practice_code', 'true')] %}
    select
        date,
        '{{ level }}' as org_level,
        case when grouping(department_type) = 1 then 'all' else department_type end as department_type,
        count(*) as attendances,
        count(time_in_department) as four_hour_attendances,
        count(case when time_in_department > 240 then 1 end) as over_four_hours,
        count(case when time_in_department > 720 then 1 end) as over_12_hours_from_arrival,
        count(case when time_waiting_for_bed > 720 then 1 end) as over_12_hours_from_decision_to_admit,
        {%- for measure in measures %}
        {{ quantiles(measure, [0.5, 0.95]) }} as {{ measure }},
        {%- endfor %}
        {{ code }} as org_code
    from attendances
    where {{ has }}
    group by date{{ ', ' ~ code if level != 'nation' }}, rollup(department_type)
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

providers_with_attendances as (
    select
        date,
        department_type,
        org_code as provider_code
    from figures
    where org_level = 'trust'
),

{{ coverage('int_ae__expected', 'providers_with_attendances', key, 'date') }}

select
    f.date,
    f.org_level,
    f.org_code,
    {{ name_of_organisation() }} as org_name,
    f.department_type,
    f.attendances,
    f.four_hour_attendances,
    f.over_four_hours,
    1 - {{ ratio('f.over_four_hours', 'f.four_hour_attendances') }} as within_four_hours_rate,
    f.over_12_hours_from_arrival,
    f.over_12_hours_from_decision_to_admit,
    {%- for measure in measures %}
    {{ nth('f.' ~ measure, 1) }} as {{ measure }}_median_minutes,
    {{ nth('f.' ~ measure, 2) }} as {{ measure }}_p95_minutes,
    {%- endfor %}
    {{ coverage_columns('r.orgs_reported') }}
{{ with_coverage(key, 'date') }}
