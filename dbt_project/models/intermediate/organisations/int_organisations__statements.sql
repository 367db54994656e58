-- What each issue of each list says of an organisation, one attribute a row. A code that is no ICB (a local
-- office's Q-code) or no known region says nothing of ICB or region.
{% set plain = {
    'ods_trusts': ['org_name', 'open_date', 'close_date'],
    'ods_gp_practices': ['org_name', 'open_date', 'close_date'],
    'ods_practice_hierarchy': ['org_name'],
    'ods_sites': ['org_name']
} -%}
{#- For ICB and region the map of practices goes before the list of practices; for names the list does. -#}
{%- set coded = [
    ('ods_trusts', 'icb_code', 'geography_code', 1), ('ods_trusts', 'region_code', 'region_code', 1),
    ('ods_gp_practices', 'icb_code', 'geography_code', 2), ('ods_gp_practices', 'region_code', 'region_code', 2),
    ('ods_practice_hierarchy', 'icb_code', 'icb_code', 1), ('ods_practice_hierarchy', 'region_code', 'region_code', 1)
] -%}
with icb_codes as (
    select distinct icb_code as code from {{ ref('icbs') }}
),

region_codes as (
    select distinct region_code as code from {{ ref('regions') }}
)
{% for list, attributes in plain.items() -%}
{%- set place = loop.index %}
{%- for attribute in attributes %}
select
    '{{ list }}' as list,
    s.batch,
    s.org_code,
    '{{ attribute }}' as attribute,
    cast(s.{{ attribute }} as {{ dbt.type_string() }}) as value,
    {{ place }} as precedence,
    {{ 'cast(s.extract_date as timestamp)' if list == 'ods_practice_hierarchy' else 'cast(null as timestamp)' }} as stated_at
from {{ ref('stg_' ~ list) }} as s

union all
{% endfor -%}
{%- endfor -%}
{%- for list, attribute, column, precedence in coded %}
select
    '{{ list }}' as list,
    s.batch,
    s.org_code,
    '{{ attribute }}' as attribute,
    s.{{ column }} as value,
    {{ precedence }} as precedence,
    {{ 'cast(s.extract_date as timestamp)' if list == 'ods_practice_hierarchy' else 'cast(null as timestamp)' }} as stated_at
from {{ ref('stg_' ~ list) }} as s
inner join {{ 'icb_codes' if attribute == 'icb_code' else 'region_codes' }} as c
    on s.{{ column }} = c.code

union all
{% endfor %}
select
    'ods_sites' as list,
    s.batch,
    s.org_code,
    'trust_code' as attribute,
    s.parent_code as value,
    1 as precedence,
    cast(null as timestamp) as stated_at
from {{ ref('stg_ods_sites') }} as s
inner join {{ ref('int_organisations__levels') }} as parent
    on s.parent_code = parent.org_code and parent.org_level = 'trust'
