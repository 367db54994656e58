{#- Days whose number of expected providers changed, because of who submitted on which day: those up to the horizon. -#}
{% macro days_of_new_submissions(submissions, horizon) -%}
select d.date
from {{ ref('int_clock__days') }} as d
inner join (select distinct submission_date from {{ changes_of(submissions) }}) as s
    on d.date >= s.submission_date and d.date < s.submission_date + 28
inner join {{ ref(horizon) }} as h
    on d.date <= h.horizon_date
{%- endmacro %}

{#- The days from one to another, both inclusive, of the rows of a relation, each day once. -#}
{% macro days_within(relation, first, last) -%}
select distinct {{ each_day('b.first_day', 'b.last_day') }} as date
from (
    select distinct
        {{ first }} as first_day,
        {{ last }} as last_day
    from {{ relation }} as r
) as b
{%- endmacro %}
