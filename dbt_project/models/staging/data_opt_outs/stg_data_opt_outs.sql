select
    batch,
    record_key,
    record_version,
    submission_date,
    is_deletion,
    person_pseudonym,
    opt_out_date,
    {{ accepted_file() }} as accepted_file
from {{ source('landing', 'data_opt_outs') }}
