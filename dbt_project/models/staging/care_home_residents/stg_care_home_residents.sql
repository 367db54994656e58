select
    batch,
    record_key,
    record_version,
    submission_date,
    is_deletion,
    person_pseudonym,
    age_band,
    area_code,
    residency_start_date,
    residency_end_date,
    {{ accepted_file() }} as accepted_file
from {{ source('landing', 'care_home_residents') }}
