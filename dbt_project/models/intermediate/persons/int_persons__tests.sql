{{ config(
    materialized='by_key', key='record_key', feed='covid_tests',
    unversioned=['record_version', 'submission_date', 'batch']
) }}
with
{{ latest_versions(
    'covid_tests', 'int_persons__tests',
    ['person_pseudonym', 'specimen_date', 'test_result']
) }}

select *
from latest
