{{ config(
    materialized='by_key', key='record_key', feed='care_home_residents',
    unversioned=['record_version', 'submission_date', 'batch']
) }}
with
{{ latest_versions(
    'care_home_residents', 'int_persons__residencies',
    ['person_pseudonym', 'residency_start_date', 'residency_end_date']
) }}

select *
from latest
