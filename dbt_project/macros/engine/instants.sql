{#- Whole minutes from one instant to another; both are instants of whole minutes. -#}
{% macro minutes_between(start, end) -%}
    {{ return(dbt.datediff(start, end, 'minute')) }}
{%- endmacro %}

{#- An instant so many minutes, hours or days later. -#}
{% macro later(instant, number, unit) -%}
    {{ instant }} + interval '{{ number }}' {{ unit }}
{%- endmacro %}

{#- The first full hour that is not before an instant of whole minutes. -#}
{% macro next_full_hour(instant) -%}
    date_trunc('hour', {{ later(instant, 59, 'minute') }})
{%- endmacro %}

{#- One row for each full hour from one to another, both inclusive; none when the first is after the last. -#}
{% macro each_hour(first, last) -%}
    {{ return(adapter.dispatch('each_hour')(first, last)) }}
{%- endmacro %}

{% macro default__each_hour(first, last) -%}
    explode(case when {{ first }} <= {{ last }} then sequence({{ first }}, {{ last }}, interval 1 hour) end)
{%- endmacro %}

{% macro duckdb__each_hour(first, last) -%}
    unnest(generate_series({{ first }}, {{ last }}, interval 1 hour))
{%- endmacro %}

{#- One row for each day from one to another, both inclusive; none when the first is after the last. -#}
{% macro each_day(first, last) -%}
    {{ return(adapter.dispatch('each_day')(first, last)) }}
{%- endmacro %}

{% macro default__each_day(first, last) -%}
    explode(case when {{ first }} <= {{ last }} then sequence({{ first }}, {{ last }}, interval 1 day) end)
{%- endmacro %}

{% macro duckdb__each_day(first, last) -%}
    cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date)
{%- endmacro %}
