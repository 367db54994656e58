{#- The columns of every feed of figures, one row per published cell. -#}
{% macro figure_columns() -%}
    {{ return([
        'batch', 'record', 'org_code', 'org_name', 'region_code', 'metric_id', 'period_start', 'period_end',
        'value', 'status', 'status_reason', 'source_sheet', 'source_row', 'source_column'
    ]) }}
{%- endmacro %}

{#- The whole of a figures feed's staging model: what its reader accepted, column by column. -#}
{% macro accepted_figures(feed) -%}
select
    {{ figure_columns() | join(',\n    ') }}
from {{ source('landing', feed) }}
{%- endmacro %}
