select
    batch,
    record_key,
    record_version,
    submission_date,
    is_deletion,
    gp_practice_code,
    person_pseudonym,
    age_band,
    area_code,
    registration_start_date,
    registration_end_date,
    {{ accepted_file() }} as accepted_file
from {{ source('landing', 'gp_registrations') }}
