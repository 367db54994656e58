-- Months of admission (first days) whose stays changed or grew longer, or were never worked out.
{%- set spells = ref('int_spells__spells') %}
{%- set changes = changes_of('int_spells__spells') %}
{%- set submissions = changes_of('int_spells__submissions') %}
{%- set submitted = days_of_new_submissions('int_spells__submissions', 'int_spells__horizon') %}
{%- set month = "cast(date_trunc('month', stay_admission_date) as date)" %}
{%- if is_delta('length_of_stay') %}
select {{ month }} as date
from {{ changes }}
where is_stay_start
union
select {{ month }} as date
from {{ spells }}
where is_stay_start and stay_discharge_date is null and exists (select 1 from {{ submissions }})
union
select s.date
from (
    {{ submitted }}
) as s
where extract(day from s.date) = 1
{%- else %}
select distinct {{ month }} as date
from {{ spells }}
where is_stay_start
{%- endif %}
