select
    batch,
    extract_date,
    org_code,
    org_name,
    pcn_code,
    pcn_name,
    ccg_code,
    ccg_name,
    icb_code,
    region_code,
    source_row
from {{ source('landing', 'ods_practice_hierarchy') }}
