select
    cast(record_key as uuid) as record_key,
    ordinal
from {{ source('operations', 'sent_order') }}
