{{ config(
    materialized='by_key', key='record_key', feed='ecds_attendances',
    unversioned=['record_version', 'submission_date', 'batch']
) }}
{%- set columns = [
    'provider_code', 'site_code', 'person_pseudonym', 'ec_department_type', 'ec_attendance_category', 'arrival_at',
    'arrival_date', 'ec_initial_assessment_at', 'ec_seen_for_treatment_at', 'ec_decision_to_admit_at',
    'ec_departure_at'
] -%}
{%- set touched = attendances_of_changed_persons() %}
with
{{ latest_versions('ecds_attendances', 'int_ae__attendances', columns, touched) }}

select
    l.*,
    coalesce(p.practice_code, '{{ var('no_practice') }}') as practice_code,
    not l.is_deletion
    and l.ec_attendance_category in ('1', '2', '3')
    and l.ec_department_type in ('01', '02', '03', '04')
    and o.person_pseudonym is null as is_counted
from latest as l
left join {{ ref('int_persons__practices') }} as p
    on
        l.person_pseudonym = p.person_pseudonym
        and l.arrival_date >= p.valid_from
        and l.arrival_date < coalesce(p.valid_to, date '9999-12-31')
left join {{ ref('int_persons__opted_out') }} as o
    on l.person_pseudonym = o.person_pseudonym
