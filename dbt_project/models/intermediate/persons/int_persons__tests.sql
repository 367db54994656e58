{{ config(
    materialized='by_key', key='record_key', feed='covid_tests',
    unversioned=['record_version', 'submission_date', 'batch', 'age_band', 'area_code', 'reporting_lab_code']
) }}
with
{{ latest_versions(
    'covid_tests', 'int_persons__tests',
    ['reporting_lab_code', 'person_pseudonym', 'age_band', 'area_code', 'specimen_date', 'test_result']
) }}

select *
from latest
