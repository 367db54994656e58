-- Persons whose spells, tests, critical care, residencies or opt-outs changed; a spell of nobody known is its own person.
{%- set care = changes_of('int_critical_care__periods') %}
{%- set spells = ref('int_spells__latest') %}
{%- set changed = changed_persons(['int_persons__tests', 'int_persons__residencies', 'int_persons__opt_outs']) %}
{%- if is_delta('int_spells__spells') %}
with changed as (
    select person_key
    from {{ changes_of('int_spells__latest') }}
    union
    {{ changed }}
    union
    select s.person_key
    from {{ spells }} as s
    where s.record_key in (select c.spell_key from {{ care }} as c)
)

select person_key
from changed
where person_key is not null
{%- else %}
select person_key
from {{ spells }}
where 1 = 0
{%- endif %}
