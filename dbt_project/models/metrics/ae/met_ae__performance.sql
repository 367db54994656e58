{%- set groups = {
    'attendance': "p.measure like 'attendances%'",
    'over': "p.measure like 'over_four_hours%'",
    'emergency': "p.measure = 'emergency_admissions_via_ae'"
} -%}
{%- set measures = {} -%}
{%- for group, condition in groups.items() -%}
{%- do measures.update({
    'parts_' ~ group: 'count(case when ' ~ condition ~ ' then 1 end)',
    'sum_' ~ group: 'sum(case when ' ~ condition ~ ' then ' ~ exact('p.value') ~ ' end)',
    'state_' ~ group: strongest_state(condition),
    'gap_' ~ group: strongest_gap(condition),
    'reason_' ~ group: 'max(case when ' ~ condition ~ ' then p.status_reason end)'
}) -%}
{%- endfor -%}
{%- set columns = [
    'dimension', 'org_code', 'period_start', 'period_end', 'known_from', 'known_to', 'region_code', 'batch'
] | join(',\n        ') -%}
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
        v.status,
        v.status_reason,
        v.region_code,
        v.batch
    from {{ ref('int_observations__versions') }} as v
    inner join {{ ref('metrics') }} as r
        on v.metric_id = r.metric_id
    where r.basis = 'msitae' and r.is_base and r.dimension in ('type_1', 'type_2', 'other')
),

parts as (
    {%- for dimension in ['dimension', "'all'"] %}
    select
        measure,
        {{ dimension }} as dimension,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        value,
        status,
        status_reason,
        region_code,
        batch
    from base
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{{ states_over_time('parts', ['dimension', 'org_code', 'period_start', 'period_end'], measures) }},

-- A sum with a part that was not reported is not known. Booked appointments before August 2020 were not
-- collected: no part of that name, nothing to add.
whole as (
    select
        {%- for group in groups %}
        parts_{{ group }},
        state_{{ group }},
        gap_{{ group }},
        reason_{{ group }},
        case when gap_{{ group }} is null then sum_{{ group }} end as sum_{{ group }},
        {%- endfor %}
        {{ columns }}
    from states
),

-- The four-hour standard is judged on the attendances of those who reported their breaches.
derived as (
    select
        'attendances' as measure,
        {{ columns }},
        sum_attendance as value,
        state_attendance as state,
        gap_attendance as gap,
        reason_attendance as reason
    from whole
    where parts_attendance > 0
    union all
    select
        'emergency_admissions_via_ae' as measure,
        {{ columns }},
        sum_emergency as value,
        state_emergency as state,
        gap_emergency as gap,
        reason_emergency as reason
    from whole
    where parts_emergency > 0 and dimension = 'all'
    {%- for measure, value in {
        'over_four_hours': 'sum_over',
        'four_hour_attendances': 'case when sum_over is not null then sum_attendance end',
        'within_four_hours': 'sum_attendance - sum_over'
    }.items() %}
    union all
    select
        '{{ measure }}' as measure,
        {{ columns }},
        {{ value }} as value,
        {{ 'state_over' if measure == 'over_four_hours' else 'greatest(state_over, state_attendance)' }} as state,
        {{ 'gap_over' if measure == 'over_four_hours' else 'coalesce(gap_over, gap_attendance)' }} as gap,
        reason_over as reason
    from whole
    where parts_over > 0
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
        {{ state_of_whole('value', 'state', 'gap') }} as status,
        case when value is null then reason end as status_reason,
        region_code,
        batch
    from derived
),

{{ merge_equal_versions('timeline') }}

{{ derived_columns('merged') }}
