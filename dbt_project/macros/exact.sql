{#- Sums are made on decimals: doubles would depend on the order of rows. Twelve places keep averages of beds whole. -#}
{% macro exact(expression) -%}
    cast({{ expression }} as decimal(38, 12))
{%- endmacro %}

{#- A sum of counts as a whole number; rounded first, because engines differ in how they cast. -#}
{% macro whole(expression) -%}
    cast(round({{ expression }}, 0) as bigint)
{%- endmacro %}

{#- One number over another between 0 and 1; null when there is nothing to divide by. -#}
{% macro ratio(numerator, denominator) -%}
    cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0)
{%- endmacro %}
