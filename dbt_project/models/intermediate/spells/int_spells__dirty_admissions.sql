-- Days whose admissions or hospital-onset infections changed, or were never worked out.
{%- set spells = ref('int_spells__spells') %}
{%- set changes = changes_of('int_spells__spells') %}
{%- set submitted = days_of_new_submissions('int_spells__submissions', 'int_spells__horizon') %}
{%- set delta = is_delta('admissions_daily') %}
{%- set read = changes if delta else spells %}
select admission_date as date
from {{ read }}
union
select hcai_date as date
from {{ read }}
where hcai_date is not null
{%- if delta %}
union
{{ submitted }}
{%- endif %}
