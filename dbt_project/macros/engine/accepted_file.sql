{#- The path of the file that a row was read from. -#}
{% macro accepted_file() -%}
    {{ return(adapter.dispatch('accepted_file')()) }}
{%- endmacro %}

{% macro default__accepted_file() -%}
    input_file_name()
{%- endmacro %}

{% macro duckdb__accepted_file() -%}
    filename
{%- endmacro %}
