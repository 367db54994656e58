select
    batch,
    record_key,
    record_version,
    submission_date,
    is_deletion,
    reporting_lab_code,
    person_pseudonym,
    age_band,
    area_code,
    specimen_date,
    test_result,
    {{ accepted_file() }} as accepted_file
from {{ source('landing', 'covid_tests') }}
