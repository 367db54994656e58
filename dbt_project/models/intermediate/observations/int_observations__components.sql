-- The registry's space-separated components as rows: which base metrics a metric is made of, itself if it is base.
{%- set most = 12 %}
select
    metric_id,
    metric_id as component_id
from {{ ref('metrics') }}
where is_base
{% for place in range(1, most + 1) %}
union all

select
    metric_id,
    split_part(components, ' ', {{ place }}) as component_id
from {{ ref('metrics') }}
where not is_base and split_part(components, ' ', {{ place }}) <> ''
{% endfor -%}
