select
    feed,
    title,
    supplier,
    kind,
    published_every,
    late_after_days,
    fresh_for_days
from {{ source('operations', 'feeds') }}
