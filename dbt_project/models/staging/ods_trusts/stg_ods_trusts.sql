select
    batch,
    org_code,
    org_name,
    region_code,
    geography_code,
    open_date,
    close_date,
    source_row
from {{ source('landing', 'ods_trusts') }}
