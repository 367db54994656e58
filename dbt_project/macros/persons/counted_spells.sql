{#- Spells that marts count: ordinary admissions and day cases of persons who have not opted out where that applies; in a
night's delta those of touched persons alone. The `from` and `where` of a query: spells are l, `joins` are further joins,
`conditions` further conditions. -#}
{% macro counted_spells(joins='', conditions=[]) -%}
from {{ ref('int_spells__latest') }} as l
left join {{ ref('int_persons__opted_out') }} as opted_out
    on l.person_pseudonym = opted_out.person_pseudonym
{{ joins }}
where
    not l.is_deletion
    and l.patient_classification in ('1', '2')
    and opted_out.person_pseudonym is null
    and {{ is_touched('l.person_key', 'int_spells__spells', ref('int_spells__touched')) }}
    {%- for condition in conditions %}
    and {{ condition }}
    {%- endfor %}
{%- endmacro %}
