select
    batch,
    feed,
    file_name,
    size_bytes,
    received_at,
    received_by,
    published_on,
    known_from,
    period_start,
    period_end,
    layout,
    row_count,
    verdict,
    agreement,
    legal_basis,
    reason
from {{ source('operations', 'batches') }}
