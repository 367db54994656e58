{#- The levels of a person-level mart: the code of each, and the rows that have one. -#}
{% macro hospital_levels() -%}
    {{ return([
        ('nation', "'" ~ var('nation') ~ "'", 'true'),
        ('region', 'region_code', 'region_code is not null'),
        ('icb', 'icb_code', 'icb_code is not null'),
        ('trust', 'provider_code', 'true'),
        ('site', 'site_code', 'site_code <> provider_code')
    ]) }}
{%- endmacro %}

{#- Region and ICB of the provider on the day of a figure, joined to a relation `alias` that has provider_code. -#}
{% macro placed_on(alias, day) -%}
left join {{ ref('int_persons__placements') }} as placed
    on
        {{ alias }}.provider_code = placed.org_code
        and cast({{ day }} as timestamp) >= placed.valid_from
        and cast({{ day }} as timestamp) < placed.valid_to
{%- endmacro %}

{#- The CTEs `reported` and `expected`: how many providers have a record in the rows of each key and organisation, and how
many are expected on its day. `leaf` has the key, provider_code, region_code, icb_code; `day` is an expression on the key.
Sites and practices stand for themselves. -#}
{% macro coverage(expectations, leaf, key, day) -%}
reported as (
    {%- for level, code, has in hospital_levels()[:3] %}
    select
        {{ key | join(', ') }},
        {{ code }} as org_code,
        count(distinct provider_code) as orgs_reported
    from {{ leaf }}
    where {{ has }}
    group by {{ key | join(', ') }}{{ ', ' ~ code if level != 'nation' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

expected as (
    {%- for level, code, has in hospital_levels()[:4] %}
    select
        date,
        {{ code }} as org_code,
        count(*) as orgs_expected
    from {{ ref(expectations) }}
    where {{ has }}
    group by date{{ ', ' ~ code if level != 'nation' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)
{%- endmacro %}

{#- The end of a person-level mart: rows of `figures` (alias f) with name, coverage and status, which all marts have. -#}
{% macro with_coverage(figures, key, day) -%}
from {{ figures }} as f
left join {{ ref('organisation') }} as o
    on f.org_code = o.org_code
left join reported as r
    on f.org_code = r.org_code{% for column in key %} and f.{{ column }} = r.{{ column }}{% endfor %}
left join expected as e
    on f.org_code = e.org_code and {{ day }} = e.date
{%- endmacro %}

{% macro coverage_columns() -%}
    cast(case when f.org_level in ('site', 'gp_practice') then 1 else coalesce(e.orgs_expected, 0) end as bigint)
        as orgs_expected,
    cast(coalesce(r.orgs_reported, 1) as bigint) as orgs_reported,
    'reported' as status
{%- endmacro %}

{% macro name_of_organisation() -%}
    coalesce(o.org_name, f.org_code)
{%- endmacro %}
