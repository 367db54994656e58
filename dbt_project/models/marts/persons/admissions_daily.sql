{{ config(materialized='by_period', made_of='int_spells__spells', dirty='int_spells__dirty_admissions', day='date') }}
{%- set admissions = {
    'admissions': 'true',
    'emergency_admissions': "s.admission_method in ('21', '22', '23', '24', '25', '28', '2A', '2B', '2C', '2D')",
    'elective_admissions': "s.admission_method in ('11', '12', '13')",
    'maternity_admissions': "s.admission_method in ('31', '32')",
    'other_admissions': "s.admission_method in ('81', '82', '83', '98', '99')",
    'covid_test_admissions': 's.is_tested_before_admission',
    'covid_diagnosed_admissions': 's.is_covid_diagnosed',
    'covid_primary_admissions': 's.is_covid_primary',
    'covid_care_home_admissions': 's.is_from_care_home'
} -%}
{%- set classes = ['community_onset', 'indeterminate', 'probable', 'definite'] -%}
with events as (
    select
        s.admission_date as date,
        s.provider_code,
        s.site_code,
        {%- for measure, condition in admissions.items() %}
        case when {{ condition }} then 1 else 0 end as {{ measure }},
        {%- endfor %}
        {%- for class in classes %}
        0 as hcai_{{ class }},
        {%- endfor %}
        s.practice_code
    from {{ ref('int_spells__spells') }} as s
    where
        not s.is_merger_continuation
        and {{ is_written('s.admission_date', 'admissions_daily', ref('int_spells__dirty_admissions')) }}
    union all
    select
        s.hcai_date as date,
        s.provider_code,
        s.site_code,
        {%- for measure in admissions %}
        0 as {{ measure }},
        {%- endfor %}
        {%- for class in classes %}
        case when s.hcai_class = '{{ class }}' then 1 else 0 end as hcai_{{ class }},
        {%- endfor %}
        s.practice_code
    from {{ ref('int_spells__spells') }} as s
    where
        s.hcai_class is not null
        and {{ is_written('s.hcai_date', 'admissions_daily', ref('int_spells__dirty_admissions')) }}
),

{%- set measures = admissions.keys() | list + ['hcai_community_onset', 'hcai_indeterminate', 'hcai_probable', 'hcai_definite'] %}

leaf as (
    select
        e.date,
        e.provider_code,
        e.site_code,
        e.practice_code,
        placed.region_code,
        {%- for measure in measures %}
        sum(e.{{ measure }}) as {{ measure }},
        {%- endfor %}
        placed.icb_code
    from events as e
    {{ placed_on('e', 'e.date') }}
    group by e.date, e.provider_code, e.site_code, e.practice_code, placed.region_code, placed.icb_code
),

figures as (
    {%- for level, code, has in hospital_levels() + [('gp_practice', 'practice_code', 'true')] %}
    select
        date,
        '{{ level }}' as org_level,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }},
        {%- endfor %}
        {{ code }} as org_code
    from leaf
    where {{ has }}
    group by date{{ ', ' ~ code if level != 'nation' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{{ coverage('int_spells__expected', 'leaf', ['date'], 'date') }}

select
    f.date,
    f.org_level,
    f.org_code,
    {{ name_of_organisation() }} as org_name,
    {%- for measure in measures %}
    cast(f.{{ measure }} as bigint) as {{ measure }},
    {%- endfor %}
    {{ coverage_columns() }}
{{ with_coverage('figures', ['date'], 'f.date') }}
