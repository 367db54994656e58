-- Persons whose registrations changed.
{%- if is_delta('int_persons__practices') %}
select distinct person_pseudonym
from {{ changes_of('int_persons__registrations') }}
where person_pseudonym is not null
{%- else %}
select person_pseudonym
from {{ ref('int_persons__registrations') }}
where 1 = 0
{%- endif %}
