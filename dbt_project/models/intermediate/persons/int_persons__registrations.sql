{{ config(
    materialized='by_key', key='record_key', feed='gp_registrations',
    unversioned=['record_version', 'submission_date', 'batch']
) }}
with
{{ latest_versions(
    'gp_registrations', 'int_persons__registrations',
    ['gp_practice_code', 'person_pseudonym', 'registration_start_date', 'registration_end_date']
) }}

select *
from latest
