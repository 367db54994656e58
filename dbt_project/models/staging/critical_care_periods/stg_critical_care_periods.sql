select
    batch,
    record_key,
    record_version,
    submission_date,
    is_deletion,
    provider_code,
    spell_key,
    critical_care_unit_function,
    critical_care_start_at,
    critical_care_discharge_at,
    {{ accepted_file() }} as accepted_file
from {{ source('landing', 'critical_care_periods') }}
