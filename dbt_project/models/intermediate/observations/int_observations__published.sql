{%- set columns = figure_columns() | reject('equalto', 'record') | join(',\n    ') -%}
{% for feed in var('figure_feeds') -%}
select
    '{{ feed }}' as feed,
    {{ columns }}
from {{ ref('stg_' ~ feed) }}
where record = 'provider'
{% if not loop.last %}
union all

{% endif -%}
{% endfor -%}
