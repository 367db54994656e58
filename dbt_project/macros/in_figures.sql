{#- A number as it stands in a sentence, with two places. -#}
{% macro in_figures(expression) -%}
    cast(cast({{ expression }} as decimal(18, 2)) as {{ dbt.type_string() }})
{%- endmacro %}
