-- Days (UTC) with hours at which who is in a department changed, or was never worked out.
{%- set attendances = ref('int_ae__attendances') %}
{%- set changes = changes_of('int_ae__attendances') %}
{%- set horizon = ref('int_ae__horizon') %}
{%- set submitted = days_of_new_submissions('int_ae__submissions', 'int_ae__horizon') %}
{%- set delta = is_delta('ae_department_now') %}
with present as (
    {{ days_within(
        changes if delta else attendances, 'cast(r.arrival_at as date)', 'cast(' ~ present_until('r') ~ ' as date)'
    ) }}
    {%- if delta %}
    union
    {{ submitted }}
    union
    select {{ each_day('k.last_day', 'cast(h.horizon_at as date)') }} as date
    from (select cast(max(hour_at) as date) as last_day from {{ kept('ae_department_now') }}) as k
    cross join {{ horizon }} as h
    where k.last_day is not null
    {%- endif %}
)

select p.date
from present as p
inner join {{ horizon }} as h
    on p.date <= cast(h.horizon_at as date)
