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

{#- The CTEs `figures` and `expected` of a mart whose measures add up: those of `leaf` at every level, with how many
providers each figure is of. The leaf has the key, provider_code, site_code and, with `practices`, practice_code; `day` is
the column of the key whose day decides about region and ICB. `measures` say how each is put together: sum, min. Sites,
providers and practices are of the leaf, the levels above of the few rows of providers. -#}
{% macro levels_of(leaf, key, day, measures, expectations, practices=false) -%}
{%- set keys = key | join(', ') -%}
by_provider as (
    select
        {{ keys }},
        {%- for measure, how in measures.items() %}
        {{ how }}({{ measure }}) as {{ measure }},
        {%- endfor %}
        provider_code
    from {{ leaf }}
    group by {{ keys }}, provider_code
),

by_placed_provider as (
    select
        b.*,
        placed.region_code,
        placed.icb_code
    from by_provider as b
    {{ placed_on('b', 'b.' ~ day) }}
),

figures as (
    {%- for level, code, has in hospital_levels() + [('gp_practice', 'practice_code', 'true')] if practices or level != 'gp_practice' %}
    {%- set is_above = level in ('nation', 'region', 'icb') %}
    select
        {{ keys }},
        '{{ level }}' as org_level,
        {{ code }} as org_code,
        {%- for measure, how in measures.items() %}
        {{ measure if level == 'trust' else how ~ '(' ~ measure ~ ')' }} as {{ measure }},
        {%- endfor %}
        {{ 'count(*)' if is_above else '1' }} as orgs_reported
    from {{ 'by_placed_provider' if is_above else 'by_provider' if level == 'trust' else leaf }}
    {%- if has != 'true' %}
    where {{ has }}
    {%- endif %}
    {%- if level != 'trust' %}
    group by {{ keys }}{{ ', ' ~ code if level != 'nation' }}
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{{ expected(expectations) }}
{%- endmacro %}

{#- The same of a mart by hour, whose key is hour_at and `kind`: hours have the local date by which organisations are placed
and expected. -#}
{% macro hourly_levels_of(leaf, kind, measures, expectations) -%}
dated as (
    select
        l.hour_at,
        case when l.hour_at >= n.starts_at then n.date else n.date - 1 end as date
    from (select distinct hour_at from {{ leaf }}) as l
    inner join {{ ref('int_clock__days') }} as n
        on cast(l.hour_at as date) + 1 = n.date
),

dated_leaf as (
    select
        l.*,
        d.date
    from {{ leaf }} as l
    inner join dated as d
        on l.hour_at = d.hour_at
),

{{ levels_of('dated_leaf', ['hour_at', 'date', kind], 'date', measures, expectations) }}
{%- endmacro %}

{#- The CTEs `reported` and `expected` of a mart whose measures do not add up: how many providers have a record in each
figure above them, by its rows of providers. -#}
{% macro coverage(expectations, figures, key, day) -%}
providers as (
    select
        {%- for column in key %}
        t.{{ column }},
        {%- endfor %}
        placed.region_code,
        placed.icb_code
    from (
        select
            {{ key | join(', ') }},
            org_code as provider_code
        from {{ figures }}
        where org_level = 'trust'
    ) as t
    {{ placed_on('t', 't.' ~ day) }}
),

reported as (
    {%- for level, code, has in hospital_levels()[:3] %}
    select
        {{ key | join(', ') }},
        {{ code }} as org_code,
        count(*) as orgs_reported
    from providers
    where {{ has }}
    group by {{ key | join(', ') }}{{ ', ' ~ code if level != 'nation' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{{ expected(expectations) }}
{%- endmacro %}

{#- The CTE `expected`: how many providers are expected on each day, by organisation. -#}
{% macro expected(expectations) -%}
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

{#- The end of a person-level mart: rows of `figures` (alias f) with the name and the expectation of its organisation. -#}
{% macro with_expectation(day) -%}
from figures as f
left join {{ ref('organisation') }} as o
    on f.org_code = o.org_code
left join expected as e
    on f.org_code = e.org_code and f.{{ day }} = e.date
{%- endmacro %}

{#- The same with the coverage of measures that do not add up. -#}
{% macro with_coverage(key, day) -%}
{{ with_expectation(day) }}
left join reported as r
    on f.org_code = r.org_code{% for column in key %} and f.{{ column }} = r.{{ column }}{% endfor %}
{%- endmacro %}

{% macro coverage_columns(reported='f.orgs_reported') -%}
    cast(case when f.org_level in ('site', 'gp_practice') then 1 else coalesce(e.orgs_expected, 0) end as bigint)
        as orgs_expected,
    cast({{ reported }} as bigint) as orgs_reported,
    'reported' as status
{%- endmacro %}

{% macro name_of_organisation() -%}
    coalesce(o.org_name, f.org_code)
{%- endmacro %}
