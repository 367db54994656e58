-- Days of arrival whose attendances changed, or were never worked out.
{%- set attendances = ref('int_ae__attendances') %}
{%- set changes = changes_of('int_ae__attendances') %}
{%- set submitted = days_of_new_submissions('int_ae__submissions', 'int_ae__horizon') %}
{%- if is_delta('ae_waiting_times_daily') %}
select arrival_date as date
from {{ changes }}
where is_counted
union
{{ submitted }}
{%- else %}
select distinct arrival_date as date
from {{ attendances }}
where is_counted
{%- endif %}
