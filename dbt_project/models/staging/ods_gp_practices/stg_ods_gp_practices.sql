select
    batch,
    org_code,
    org_name,
    region_code,
    geography_code,
    open_date,
    close_date,
    status_code,
    commissioner_code,
    prescribing_setting,
    source_row
from {{ source('landing', 'ods_gp_practices') }}
