{%- set classes = ['community_onset', 'indeterminate', 'probable', 'definite'] -%}
{%- set lead = ['admissions', 'hcai_community_onset', 'hcai_indeterminate', 'hcai_probable', 'hcai_definite'] -%}
{%- set sources = ['int_spells__spells', 'int_spells__submissions'] -%}
{{ config(
    materialized='by_figure', changes_of=sources, figure=['date', 'org_level', 'org_code'], present=lead | join(' + ') ~ ' > 0',
    made_of='int_spells__spells', days=['admission_date', 'coalesce(hcai_date, admission_date)']
) }}
{%- set spells = ref('int_spells__spells') %}
{%- set submitted = days_of_new_submissions('int_spells__submissions', 'int_spells__horizon') %}
{%- set adds = adds_changes(sources) -%}
{%- set read = changes_of('int_spells__spells') if adds else spells -%}
{%- set weight = weight_of('s', adds) -%}
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
with events as (
    select
        s.admission_date as date,
        s.provider_code,
        s.site_code,
        {%- for measure, condition in admissions.items() %}
        case when {{ condition }} then {{ weight }} else 0 end as {{ measure }},
        {%- endfor %}
        {%- for class in classes %}
        0 as hcai_{{ class }},
        {%- endfor %}
        s.practice_code
    from {{ read }} as s
    where
        not s.is_merger_continuation
        and {{ is_within('s.admission_date') }}
    union all
    select
        s.hcai_date as date,
        s.provider_code,
        s.site_code,
        {%- for measure in admissions %}
        0 as {{ measure }},
        {%- endfor %}
        {%- for class in classes %}
        case when s.hcai_class = '{{ class }}' then {{ weight }} else 0 end as hcai_{{ class }},
        {%- endfor %}
        s.practice_code
    from {{ read }} as s
    where
        s.hcai_class is not null
        and {{ is_within('s.hcai_date') }}
),

{%- set measures = admissions.keys() | list + lead[1:] %}

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

{{ levels_of(
    'leaf', ['date'], 'date', added, 'int_spells__expected', practices=true, kept=all_kept(adds), lead=lead,
    expected_anew=submitted
) }}

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
