{{ config(
    materialized='by_key', key='record_key', feed='apc_spells',
    unversioned=['record_version', 'submission_date', 'batch']
) }}
{%- set columns = [
    'provider_code', 'site_code', 'person_pseudonym', 'age_band', 'patient_classification', 'admission_method',
    'source_of_admission', 'admission_at', 'admission_date', 'discharge_at', 'discharge_date',
    'discharge_destination', 'treatment_function_code', 'is_covid_diagnosed', 'is_covid_primary'
] -%}
{%- set touched = spells_of_changed_persons() %}
with
{{ latest_versions('apc_spells', 'int_spells__latest', columns, touched) }}

select
    l.*,
    coalesce(l.person_pseudonym, l.record_key) as person_key,
    coalesce(p.practice_code, '{{ var('no_practice') }}') as practice_code
from latest as l
left join {{ ref('int_persons__practices') }} as p
    on
        l.person_pseudonym = p.person_pseudonym
        and l.admission_date >= p.valid_from
        and l.admission_date < coalesce(p.valid_to, date '9999-12-31')
