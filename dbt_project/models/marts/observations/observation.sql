select
    metric_id,
    org_code,
    period_start,
    period_end,
    known_from,
    value,
    numerator,
    denominator,
    status,
    status_reason,
    known_to,
    batch,
    region_code,
    source_sheet,
    source_row,
    source_column
from {{ ref('met_observations__all') }}
