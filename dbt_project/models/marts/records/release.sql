select
    release_id,
    published_at,
    is_current,
    code_version,
    batches_accepted,
    batches_quarantined,
    row_count
from {{ ref('stg_releases') }}
