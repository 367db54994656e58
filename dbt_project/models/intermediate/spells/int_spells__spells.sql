{{ config(materialized='by_key', key='person_key', touched='int_spells__touched') }}
{#- Spells that marts count, with what belongs to their persons: the continuous stay, COVID-19 by test, critical care, care
home, and the class of hospital-onset infection, which stands at the first spell of its stay. -#}
{%- set joins -%}
left join {{ ref('int_spells__joined') }} as j
    on l.record_key = j.record_key
left join {{ ref('int_spells__covid') }} as t
    on l.record_key = t.record_key
left join cared_for as c
    on l.record_key = c.spell_key
{%- endset -%}
with cared_for as (
    select distinct spell_key
    from {{ ref('int_critical_care__periods') }}
    where not is_deletion
)

select
    l.record_key,
    l.person_key,
    l.provider_code,
    l.site_code,
    l.practice_code,
    l.age_band,
    l.patient_classification,
    l.admission_method,
    l.treatment_function_code,
    l.admission_at,
    l.admission_date,
    l.discharge_at,
    l.discharge_date,
    coalesce(l.is_covid_diagnosed, false) as is_covid_diagnosed,
    coalesce(l.is_covid_primary, false) as is_covid_primary,
    coalesce(t.is_tested_before_admission, false) as is_tested_before_admission,
    coalesce(t.is_from_care_home and t.is_tested_before_admission, false) as is_from_care_home,
    coalesce(j.is_overlap, false) as is_overlap,
    coalesce(j.is_merger_continuation, false) as is_merger_continuation,
    c.spell_key is not null as has_critical_care,
    l.patient_classification = '1' and coalesce(j.is_stay_start, true) as is_stay_start,
    coalesce(j.stay_admission_date, l.admission_date) as stay_admission_date,
    case when j.record_key is null then l.discharge_date else j.stay_discharge_date end as stay_discharge_date,
    coalesce(j.stay_is_covid_diagnosed, l.is_covid_diagnosed, false) as stay_is_covid_diagnosed,
    coalesce(j.stay_has_critical_care, c.spell_key is not null) as stay_has_critical_care,
    t.covid_from_date,
    t.hcai_date,
    t.hcai_class
{{ counted_spells(joins) }}
