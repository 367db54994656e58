select
    check_id,
    feed,
    batch,
    org_code,
    severity,
    passed,
    expected,
    observed,
    reason,
    checked_at
from {{ source('operations', 'checks') }}
