{#- Quantiles of a group by linear interpolation between ranks, in one pass: an array in the order asked for. -#}
{% macro quantiles(expression, shares) -%}
    {{ return(adapter.dispatch('quantiles')(expression, shares)) }}
{%- endmacro %}

{% macro default__quantiles(expression, shares) -%}
    percentile({{ expression }}, array({{ shares | join(', ') }}))
{%- endmacro %}

{% macro duckdb__quantiles(expression, shares) -%}
    quantile_cont({{ expression }}, [{{ shares | join(', ') }}])
{%- endmacro %}

{#- The nth of an array, counted from 1. -#}
{% macro nth(array, place) -%}
    {{ return(adapter.dispatch('nth')(array, place)) }}
{%- endmacro %}

{% macro default__nth(array, place) -%}
    element_at({{ array }}, {{ place }})
{%- endmacro %}

{% macro duckdb__nth(array, place) -%}
    {{ array }}[{{ place }}]
{%- endmacro %}
