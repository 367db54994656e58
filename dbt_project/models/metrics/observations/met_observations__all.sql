select
    metric_id,
    org_code,
    period_start,
    period_end,
    known_from,
    known_to,
    value,
    cast(null as double) as numerator,
    cast(null as double) as denominator,
    status,
    status_reason,
    region_code,
    batch,
    source_sheet,
    source_row,
    source_column
from {{ ref('int_observations__versions') }}
{% for model in var('derived_metrics') %}
union all

select
    metric_id,
    org_code,
    period_start,
    period_end,
    known_from,
    known_to,
    value,
    numerator,
    denominator,
    status,
    status_reason,
    region_code,
    batch,
    cast(null as {{ dbt.type_string() }}) as source_sheet,
    cast(null as integer) as source_row,
    cast(null as {{ dbt.type_string() }}) as source_column
from {{ ref(model) }}
{% endfor -%}
