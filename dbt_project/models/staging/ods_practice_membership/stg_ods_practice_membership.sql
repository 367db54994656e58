select
    batch,
    org_code,
    parent_code,
    parent_type,
    join_date,
    leave_date,
    source_row
from {{ source('landing', 'ods_practice_membership') }}
