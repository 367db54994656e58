select
    feed,
    batch,
    reason_code,
    rejected_rows
from {{ source('operations', 'rejected_rows') }}
