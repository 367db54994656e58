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
        date,
        provider_code,
        site_code,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }},
        {%- endfor %}
        practice_code
    from events
    group by date, provider_code, site_code, practice_code
),

{%- set added = {} %}
{%- for measure in measures %}{% do added.update({measure: 'sum'}) %}{% endfor %}

{{ levels_of('leaf', ['date'], 'date', added, 'int_spells__expected', practices=true) }}

select
    f.date,
    f.org_level,
    f.org_code,
    {{ name_of_organisation() }} as org_name,
    {%- for measure in measures %}
    cast(f.{{ measure }} as bigint) as {{ measure }},
    {%- endfor %}
    {{ coverage_columns() }}
{{ with_expectation('date') }}
