select
    org_code,
    attribute,
    valid_from,
    value,
    valid_to
from {{ ref('int_organisations__history') }}
