{#- Persons of whom something changed that is not part of their own record of care: a query of person_pseudonym. -#}
{% macro changed_persons(models) -%}
{%- for name in models %}
select person_pseudonym
from {{ changes_of(name) }}
where person_pseudonym is not null
{{ 'union' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- Attendances to look at again because of what changed about their persons. -#}
{% macro attendances_of_changed_persons() -%}
{%- set changed = changed_persons(['int_persons__practices', 'int_persons__opt_outs']) -%}
{%- if is_delta('int_ae__attendances') %}
select record_key
from {{ kept('int_ae__attendances') }}
where person_pseudonym in ({{ changed }})
{%- endif %}
{%- endmacro %}

{#- Spells to look at again because of what changed about their persons. -#}
{% macro spells_of_changed_persons() -%}
{%- set changed = changed_persons(['int_persons__practices']) -%}
{%- if is_delta('int_spells__latest') %}
select record_key
from {{ kept('int_spells__latest') }}
where person_pseudonym in ({{ changed }})
{%- endif %}
{%- endmacro %}
