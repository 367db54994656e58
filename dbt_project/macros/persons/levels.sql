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

{#- The levels whose figures are of several providers. -#}
{% macro levels_above() -%}
    {{ return(['nation', 'region', 'icb']) }}
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
providers and practices are of the leaf, the levels above of the few rows of providers.

With `kept`, a query of the mart's rows with these columns, the leaf holds what changed of sums: the figures are the kept
ones that it touches and it together, and those of days in `expected_anew` (a query of `date`). Of a provider that a figure
is of, one of the measures in `lead` is above nought. -#}
{% macro levels_of(
    leaf, key, day, measures, expectations, practices=false, kept=none, lead=[], expected_anew=none
) -%}
{%- set keys = key | join(', ') -%}
{%- set levels = hospital_levels() + ([('gp_practice', 'practice_code', 'true')] if practices else []) -%}
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

{%- if kept %}

providers_before as (
    select
        {%- for column in key %}
        b.{{ column }},
        {%- endfor %}
        b.provider_code,
        k.{{ lead | join(' + k.') }} as lead
    from ({{ kept }}) as k
    inner join by_provider as b
        on k.org_code = b.provider_code{% for column in key %} and k.{{ column }} = b.{{ column }}{% endfor %}
    where k.org_level = 'trust'
),
{%- endif %}

by_placed_provider as (
    select
        b.*,
        {%- if kept %}
        case when coalesce(w.lead, 0) + b.{{ lead | join(' + b.') }} > 0 then 1 else 0 end
        - case when w.lead > 0 then 1 else 0 end as reported,
        {%- else %}
        1 as reported,
        {%- endif %}
        placed.region_code,
        placed.icb_code
    from by_provider as b
    {%- if kept %}
    left join providers_before as w
        on b.provider_code = w.provider_code{% for column in key %} and b.{{ column }} = w.{{ column }}{% endfor %}
    {%- endif %}
    {{ placed_on('b', 'b.' ~ day) }}
),

{{ 'changed' if kept else 'figures' }} as (
    {%- for level, code, has in levels %}
    {%- set is_above = level in levels_above() %}
    select
        {{ keys }},
        '{{ level }}' as org_level,
        {{ code }} as org_code,
        {%- for measure, how in measures.items() %}
        {{ measure if level == 'trust' else how ~ '(' ~ measure ~ ')' }} as {{ measure }},
        {%- endfor %}
        {{ 'sum(reported)' if is_above else '1' }} as orgs_reported
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

{%- if kept %}

{%- set figure = key + ['org_level', 'org_code'] %}

touched as (
    select {{ figure | join(', ') }}
    from changed
    union
    select {{ figure | join(', ') }}
    from ({{ kept }}) as k
    where {{ day }} in (select n.date from ({{ expected_anew }}) as n)
),

{{ added_to('(' ~ kept ~ ')', 'changed', 'touched', figure, measures.keys() | list + ['orgs_reported']) }},
{%- endif %}

{{ expected(expectations) }}
{%- endmacro %}

{#- The CTE `figures`: rows of `kept` with a key in `touched`, and what `changed` about them, added up. -#}
{% macro added_to(kept, changed, touched, key, measures) -%}
figures as (
    select
        {{ key | join(', ') }},
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            {{ key | join(', ') }},
            {{ measures | join(', ') }}
        from {{ changed }}
        union all
        select
            k.{{ key | join(', k.') }},
            k.{{ measures | join(', k.') }}
        from {{ kept }} as k
        where {{ is_among(touched, key, 'k') }}
    ) as together
    group by {{ key | join(', ') }}
)
{%- endmacro %}

{#- A condition: a row of `alias` has a key of that relation. -#}
{% macro is_among(relation, key, alias) -%}
    exists (
        select 1
        from {{ relation }} as t
        where {% for column in key %}{{ alias }}.{{ column }} = t.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    )
{%- endmacro %}

{#- The same of a mart by hour, whose key is hour_at and `kind`: hours have the local date by which organisations are placed
and expected. -#}
{% macro hourly_levels_of(leaf, kind, measures, expectations, kept=none, lead=[], expected_anew=none) -%}
dated as (
    select
        l.hour_at,
        {{ local_date('l', 'n') }} as date
    from (select distinct hour_at from {{ leaf }}) as l
    {{ with_local_date('l', 'n') }}
),

dated_leaf as (
    select
        l.*,
        d.date
    from {{ leaf }} as l
    inner join dated as d
        on l.hour_at = d.hour_at
),

{%- set kept_dated -%}
select
    h.*,
    {{ local_date('h', 'n') }} as date
from ({{ kept }}) as h
{{ with_local_date('h', 'n') }}
{%- endset %}

{{ levels_of(
    'dated_leaf', ['hour_at', 'date', kind], 'date', measures, expectations, kept=kept_dated if kept, lead=lead,
    expected_anew=expected_anew
) }}
{%- endmacro %}

{#- The local date of a relation's hours: its column, and the join that it takes. -#}
{% macro local_date(alias, days) -%}
    case when {{ alias }}.hour_at >= {{ days }}.starts_at then {{ days }}.date else {{ days }}.date - 1 end
{%- endmacro %}

{% macro with_local_date(alias, days) -%}
inner join {{ ref('int_clock__days') }} as {{ days }}
    on cast({{ alias }}.hour_at as date) + 1 = {{ days }}.date
{%- endmacro %}

{#- The CTEs `reported` and `expected` of a mart whose measures do not add up: how many providers have a record in each
figure above them; `of_providers` has the key and provider_code of each. -#}
{% macro coverage(expectations, of_providers, key, day) -%}
providers as (
    select
        {%- for column in key %}
        t.{{ column }},
        {%- endfor %}
        placed.region_code,
        placed.icb_code
    from {{ of_providers }} as t
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
    cast(case when f.org_level in ('{{ levels_above() | join("', '") }}') then {{ reported }} else 1 end as bigint)
        as orgs_reported,
    'reported' as status
{%- endmacro %}

{% macro name_of_organisation() -%}
    coalesce(o.org_name, f.org_code)
{%- endmacro %}
