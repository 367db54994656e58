{#- A SQL string literal of any text, quoted as the engine wants it. -#}
{% macro text_literal(text) -%}
    {{ return(dbt.string_literal(dbt.escape_single_quotes(text))) }}
{%- endmacro %}
