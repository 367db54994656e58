select
    org_code,
    org_level,
    org_name,
    open_date,
    close_date,
    trust_code,
    icb_code,
    region_code,
    cast(null as {{ dbt.type_string() }}) as successor_code
from {{ ref('int_organisations__current') }}
