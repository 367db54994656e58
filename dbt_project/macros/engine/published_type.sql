{#- The name by which a reader of the published files meets a contract's type. -#}
{% macro published_type(data_type) -%}
    {{ return(adapter.dispatch('published_type')(data_type)) }}
{%- endmacro %}

{% macro default__published_type(data_type) -%}
    {{ return(data_type | upper) }}
{%- endmacro %}

{% macro duckdb__published_type(data_type) -%}
    {{ return('VARCHAR' if data_type == 'string' else data_type | upper) }}
{%- endmacro %}
