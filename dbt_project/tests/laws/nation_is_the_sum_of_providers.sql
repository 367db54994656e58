-- England in the subject marts is what the providers' current figures add to: nothing lost, nothing twice.
{%- set shown = {
    'ae_performance_monthly': (
        'month', 'department_type', 'msitae',
        [
            'attendances', 'over_four_hours', 'four_hour_attendances', 'emergency_admissions_via_ae',
            'waits_dta_4_to_12_hours', 'waits_dta_over_12_hours', 'other_emergency_admissions'
        ]
    ),
    'occupancy_daily': ('snapshot_date', 'bed_type', 'covid_sitrep', ['covid_occupied_beds']),
    'covid_admissions_daily': (
        'date', "'all'", 'covid_sitrep',
        [
            'admissions_and_diagnoses', 'new_hospital_cases', 'community_admissions', 'community_admissions_lagged',
            'care_home_admissions'
        ]
    )
} %}
with shown as (
    {%- for mart, (period, dimension, basis, measures) in shown.items() %}
    {%- set last_mart = loop.last %}
    {%- for measure in measures %}
    select
        {{ metric_id("'" ~ measure ~ "'", dimension, basis) }} as metric_id,
        {{ period }} as period_start,
        {{ measure }} as value
    from {{ ref(mart) }}
    where org_level = 'nation'
    {{ 'union all' if not (last_mart and loop.last) }}
    {%- endfor %}
    {%- endfor %}
),

added as (
    select
        metric_id,
        period_start,
        {{ whole('sum(' ~ exact('value') ~ ')') }} as value
    from {{ ref('observation') }}
    where known_to is null
    group by metric_id, period_start
)

select
    s.metric_id,
    s.period_start
from shown as s
left join added as a
    on s.metric_id = a.metric_id and s.period_start = a.period_start
where s.value is distinct from a.value
