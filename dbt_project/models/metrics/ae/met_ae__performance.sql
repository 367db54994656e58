{%- set measures = {
    'attendance_parts': "count(case when p.measure like 'attendances%' then 1 end)",
    'attendance_gaps': "count(case when p.measure like 'attendances%' and p.value is null then 1 end)",
    'attendances': "sum(case when p.measure like 'attendances%' then " ~ exact('p.value') ~ " end)",
    'over_parts': "count(case when p.measure like 'over_four_hours%' then 1 end)",
    'over_gaps': "count(case when p.measure like 'over_four_hours%' and p.value is null then 1 end)",
    'over_four_hours': "sum(case when p.measure like 'over_four_hours%' then " ~ exact('p.value') ~ " end)",
    'over_reason': "max(case when p.measure like 'over_four_hours%' then p.status_reason end)",
    'emergency_parts': "count(case when p.measure = 'emergency_admissions_via_ae' then 1 end)",
    'emergency_gaps': "count(case when p.measure = 'emergency_admissions_via_ae' and p.value is null then 1 end)",
    'emergency_admissions': "sum(case when p.measure = 'emergency_admissions_via_ae' then " ~ exact('p.value') ~ " end)"
} -%}
with base as (
    select
        r.measure,
        r.dimension,
        v.org_code,
        v.period_start,
        v.period_end,
        v.known_from,
        v.known_to,
        v.value,
        v.status_reason,
        v.region_code,
        v.batch
    from {{ ref('int_observations__versions') }} as v
    inner join {{ ref('metrics') }} as r
        on v.metric_id = r.metric_id
    where r.basis = 'msitae' and r.is_base and r.dimension in ('type_1', 'type_2', 'other')
),

parts as (
    select
        measure,
        dimension,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        value,
        status_reason,
        region_code,
        batch
    from base
    union all
    select
        measure,
        'all' as dimension,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        value,
        status_reason,
        region_code,
        batch
    from base
),

{{ states_over_time('parts', ['dimension', 'org_code', 'period_start', 'period_end'], measures) }},

-- A sum with a part that was not reported is not known. Booked appointments before August 2020 were not
-- collected: no part of that name, nothing to add.
whole as (
    select
        dimension,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        region_code,
        batch,
        attendance_parts,
        over_parts,
        emergency_parts,
        over_reason,
        case when attendance_gaps = 0 then attendances end as attendances,
        case when over_gaps = 0 then over_four_hours end as over_four_hours,
        case when emergency_gaps = 0 then emergency_admissions end as emergency_admissions
    from states
),

four_hours as (
    select
        dimension,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        region_code,
        batch,
        over_reason,
        over_four_hours,
        case when over_four_hours is not null then attendances end as four_hour_attendances
    from whole
    where over_parts > 0
),

derived as (
    select
        'attendances' as measure,
        dimension,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        region_code,
        batch,
        attendances as value,
        cast(null as {{ dbt.type_string() }}) as reason
    from whole
    where attendance_parts > 0
    union all
    select
        'emergency_admissions_via_ae' as measure,
        dimension,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        region_code,
        batch,
        emergency_admissions as value,
        cast(null as {{ dbt.type_string() }}) as reason
    from whole
    where emergency_parts > 0 and dimension = 'all'
    {%- for measure, value in {
        'over_four_hours': 'over_four_hours',
        'four_hour_attendances': 'four_hour_attendances',
        'within_four_hours': 'four_hour_attendances - over_four_hours'
    }.items() %}
    union all
    select
        '{{ measure }}' as measure,
        dimension,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        region_code,
        batch,
        {{ value }} as value,
        over_reason as reason
    from four_hours
    {%- endfor %}
),

timeline as (
    select
        {{ metric_id('measure', 'dimension', 'msitae') }} as metric_id,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        cast(value as double) as value,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        case when value is null then 'not_reported' else 'reported' end as status,
        case when value is null then reason end as status_reason,
        region_code,
        batch
    from derived
    union all
    select
        {{ metric_id("'within_four_hours_rate'", 'dimension', 'msitae') }} as metric_id,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        {{ ratio('four_hour_attendances - over_four_hours', 'four_hour_attendances') }} as value,
        cast(four_hour_attendances - over_four_hours as double) as numerator,
        cast(four_hour_attendances as double) as denominator,
        case when four_hour_attendances <> 0 then 'reported' else 'not_reported' end as status,
        case
            when four_hour_attendances = 0 then 'denominator_zero'
            when four_hour_attendances is null then over_reason
        end as status_reason,
        region_code,
        batch
    from four_hours
),

{{ merge_equal_versions('timeline') }}

{{ derived_columns('merged') }}
