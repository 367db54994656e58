{#- The bed of an ordinary spell outside critical care: general and acute, or none of the bed types (maternity, learning
disabilities and mental health have functions of their own). `function` is the treatment function of the admission. -#}
{% macro ward_bed_type(function) -%}
    case
        when {{ function }} in ('424', '501', '560') or {{ function }} between '700' and '727' then 'other'
        else 'general_acute'
    end
{%- endmacro %}

{#- The bed of a critical care period (CRITICAL CARE UNIT FUNCTION). -#}
{% macro critical_care_bed_type(function) -%}
    case
        when {{ function }} in ('04', '16', '17', '18', '19', '92') then 'paediatric_intensive_care'
        when {{ function }} in ('13', '14', '15', '91') then 'neonatal_critical_care'
        else 'adult_critical_care'
    end
{%- endmacro %}

{#- Spans of ordinary spells, each in one kind of bed, open ones without an end: whole spells without critical care, and
the parts of the others. With `changed` those that differ from the night before; those that were weigh less than nothing. -#}
{% macro bed_spans(changed=false) -%}
select
    s.record_key,
    s.provider_code,
    s.site_code,
    s.practice_code,
    {{ ward_bed_type('s.treatment_function_code') }} as bed_type,
    s.admission_at as starts_at,
    s.discharge_at as ends_at,
    {{ weight_of('s', changed) }} as weight,
    s.covid_from_date
from {{ changes_of('int_spells__spells') if changed else ref('int_spells__spells') }} as s
where s.patient_classification = '1' and not s.has_critical_care
union all
select
    c.record_key,
    c.provider_code,
    c.site_code,
    c.practice_code,
    c.bed_type,
    c.starts_at,
    c.ends_at,
    {{ weight_of('c', changed) }} as weight,
    c.covid_from_date
from {{ changes_of('int_occupancy__critical_care') if changed else ref('int_occupancy__critical_care') }} as c
{%- endmacro %}
