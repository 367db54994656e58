{%- set sources = ['int_spells__spells'] -%}
{%- set figure = stay_figure() + ['nights'] -%}
{{ config(
    materialized='by_figure', changes_of=sources, figure=figure, present='stays > 0', made_of='int_spells__spells',
    days=['stay_admission_date', 'stay_admission_date']
) }}
{%- set spells = ref('int_spells__spells') %}
{%- set adds = adds_changes(sources) -%}
with stays as (
    select
        {{ stay_columns() }},
        {{ weight_of('s', adds) }} as weight
    from {{ changes_of('int_spells__spells') if adds else spells }} as s
    cross join {{ ref('int_spells__horizon') }} as h
    where s.is_stay_start and s.stay_discharge_date is not null and {{ is_within('s.stay_admission_date') }}
),

{{ stays_by_nights() }}

{%- if adds %},

{{ added_to(kept(model.name), 'by_nights', 'by_nights', figure, ['stays']) }}
{%- endif %}

select
    {{ figure | join(',\n    ') }},
    cast(stays as integer) as stays
from {{ 'figures' if adds else 'by_nights' }}
