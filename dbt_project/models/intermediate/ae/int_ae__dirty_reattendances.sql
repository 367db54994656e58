-- Days of arrival whose reattendances changed: of changed attendances, and of their persons' in the seven days after.
{%- set attendances = ref('int_ae__attendances') %}
{%- set changes = changes_of('int_ae__attendances') %}
{%- set submitted = days_of_new_submissions('int_ae__submissions', 'int_ae__horizon') %}
{%- if is_delta('reattendance_daily') %}
select c.arrival_date as date
from {{ changes }} as c
where c.is_counted and c.person_pseudonym is not null
union
select a.arrival_date as date
from {{ attendances }} as a
inner join {{ changes }} as c
    on
        a.person_pseudonym = c.person_pseudonym
        and a.arrival_date >= c.arrival_date
        and a.arrival_date <= c.arrival_date + 8
where a.is_counted and c.is_counted
union
{{ submitted }}
{%- else %}
select distinct arrival_date as date
from {{ attendances }}
where is_counted and person_pseudonym is not null
{%- endif %}
