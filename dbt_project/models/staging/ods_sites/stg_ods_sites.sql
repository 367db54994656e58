select
    batch,
    org_code,
    org_name,
    parent_code,
    sector,
    source_row
from {{ source('landing', 'ods_sites') }}
