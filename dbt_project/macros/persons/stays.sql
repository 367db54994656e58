{#- Figures of stays: month of admission, organisation, COVID-19 group, age, critical care. -#}
{% macro stay_figure() -%}
    {{ return(['admission_month', 'org_level', 'org_code', 'covid_group', 'age_band', 'critical_care_use']) }}
{%- endmacro %}

{#- What counts of continuous stays, of their first spells `s` in a relation; the horizon is h. -#}
{% macro stay_columns() -%}
    cast(date_trunc('month', s.stay_admission_date) as date) as admission_month,
    s.provider_code,
    s.site_code,
    s.practice_code,
    s.age_band,
    case when s.stay_has_critical_care then 'yes' else 'no' end as critical_care_use,
    coalesce(s.covid_from_date <= coalesce(s.stay_discharge_date, h.horizon_date), false) as is_covid_test,
    s.stay_is_covid_diagnosed as is_covid_diagnosed,
    coalesce(s.stay_discharge_date, h.horizon_date) - s.stay_admission_date as nights
{%- endmacro %}

{#- The CTE `by_nights`: how many of the stays in CTE `stays`, each as often as its `weight` says, lasted so many nights, in
every figure. They are counted by place and nights first, since those are few. -#}
{% macro stays_by_nights() -%}
{%- set groups = [('all', 'true'), ('covid_test', 'is_covid_test'), ('covid_diagnosed', 'is_covid_diagnosed')] -%}
counted as (
    select
        admission_month,
        provider_code,
        site_code,
        age_band,
        critical_care_use,
        is_covid_test,
        is_covid_diagnosed,
        nights,
        sum(weight) as stays
    from stays
    group by
        admission_month, provider_code, site_code, age_band, critical_care_use, is_covid_test, is_covid_diagnosed, nights
),

grouped as (
    {%- for covid_group, condition in groups %}
    select
        c.admission_month,
        c.provider_code,
        c.site_code,
        placed.region_code,
        placed.icb_code,
        c.age_band,
        c.critical_care_use,
        '{{ covid_group }}' as covid_group,
        c.nights,
        c.stays
    from counted as c
    {{ placed_on('c', 'c.admission_month') }}
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

leaf as (
    select
        admission_month,
        provider_code,
        site_code,
        region_code,
        icb_code,
        case when grouping(age_band) = 1 then 'all' else age_band end as age_band,
        case when grouping(critical_care_use) = 1 then 'all' else critical_care_use end as critical_care_use,
        covid_group,
        nights,
        sum(stays) as stays
    from grouped
    group by
        admission_month, provider_code, site_code, region_code, icb_code, covid_group, nights,
        cube(age_band, critical_care_use)
),

practice_leaf as (
    {%- for covid_group, condition in groups %}
    select
        admission_month,
        practice_code,
        '{{ covid_group }}' as covid_group,
        nights,
        sum(weight) as stays
    from stays
    where {{ condition }}
    group by admission_month, practice_code, nights
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

by_nights as (
    {%- for level, code, has in hospital_levels() %}
    select
        admission_month,
        '{{ level }}' as org_level,
        {{ code }} as org_code,
        covid_group,
        age_band,
        critical_care_use,
        nights,
        sum(stays) as stays
    from leaf
    where {{ has }}{% if level == 'site' %} and age_band = 'all' and critical_care_use = 'all'{% endif %}
    group by admission_month, covid_group, age_band, critical_care_use, nights{{ ', ' ~ code if level != 'nation' }}
    union all
    {%- endfor %}
    select
        admission_month,
        'gp_practice' as org_level,
        practice_code as org_code,
        covid_group,
        'all' as age_band,
        'all' as critical_care_use,
        nights,
        stays
    from practice_leaf
)
{%- endmacro %}
