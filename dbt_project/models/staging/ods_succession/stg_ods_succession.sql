select
    batch,
    org_code,
    successor_code,
    effective_date,
    org_kind,
    source_row
from {{ source('landing', 'ods_succession') }}
