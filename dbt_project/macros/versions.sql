{#- Versions of a figure: what was known from when to when.

`relation` has the key columns, known_from, known_to, value, numerator, denominator, status, status_reason,
region_code, batch and, if `with_source`, the source cell. A version that follows at once and says the same is no new version:
it prolongs the one before, which keeps its batch and cell; only the region is the later one, because the
region that a return names is not what is versioned. -#}
{% macro merge_equal_versions(relation, with_source=false) -%}
{%- set key = 'metric_id, org_code, period_start, period_end' -%}
{%- set kept = [
    'value', 'numerator', 'denominator', 'status', 'status_reason', 'batch'
] + (['source_sheet', 'source_row', 'source_column'] if with_source else []) -%}
compared as (
    select
        r.*,
        case
            when
                lag(r.known_to) over (partition by {{ key }} order by r.known_from nulls last) = r.known_from
                {%- for column in ('value', 'numerator', 'denominator', 'status', 'status_reason') %}
                and (
                    lag(r.{{ column }}) over (partition by {{ key }} order by r.known_from nulls last)
                    is not distinct from r.{{ column }}
                )
                {%- endfor %}
                then 0
            else 1
        end as begins
    from {{ relation }} as r
),

numbered as (
    select
        c.*,
        sum(c.begins) over (
            partition by {{ key }} order by c.known_from nulls last rows between unbounded preceding and current row
        ) as version_number,
        coalesce(lead(c.begins) over (partition by {{ key }} order by c.known_from nulls last), 1) as ends
    from compared as c
),

merged as (
    select
        {{ key }},
        min(known_from) as known_from,
        max(case when ends = 1 then known_to end) as known_to,
        {%- for column in kept %}
        max(case when begins = 1 then {{ column }} end) as {{ column }},
        {%- endfor %}
        max(case when ends = 1 then region_code end) as region_code
    from numbered
    group by {{ key }}, version_number
)
{%- endmacro %}

{#- What `parts` came to at every moment when one of them changed.

`parts` has the columns of `key`, known_from, known_to, region_code and batch; `measures` maps a column name to an
aggregate over the parts p that were known at that moment; region and batch are those of the parts that changed. Yields the CTE `states`; moments at which no part
was known are left out, so that a figure dropped by a later publication ends there. -#}
{% macro states_over_time(parts, key, measures) -%}
moments as (
    select {{ key | join(', ') }}, known_from as known_from
    from {{ parts }}
    union
    select {{ key | join(', ') }}, known_to as known_from
    from {{ parts }}
    where known_to is not null
),

all_states as (
    select
        {%- for column in key %}
        m.{{ column }},
        {%- endfor %}
        m.known_from,
        lead(m.known_from) over (
            partition by {% for column in key %}m.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
            order by m.known_from nulls last
        ) as known_to,
        count(p.batch) as parts_known,
        coalesce(
            max(case when p.known_from = m.known_from then p.region_code end), max(p.region_code)
        ) as region_code,
        coalesce(max(case when p.known_from = m.known_from then p.batch end), max(p.batch)) as batch,
        {%- for name, aggregate in measures.items() %}
        {{ aggregate }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from moments as m
    left join {{ parts }} as p
        on
            {%- for column in key %}
            {{ 'and ' if not loop.first }}m.{{ column }} = p.{{ column }}
            {%- endfor %}
            and m.known_from >= p.known_from
            and m.known_from < {{ or_never('p.known_to') }}
    group by {% for column in key %}m.{{ column }}, {% endfor %}m.known_from
),

states as (
    select *
    from all_states
    where parts_known > 0
)
{%- endmacro %}

{#- The columns of a model of derived metrics. -#}
{% macro derived_columns(relation) -%}
select
    metric_id,
    org_code,
    period_start,
    period_end,
    known_from,
    known_to,
    value,
    numerator,
    denominator,
    status,
    status_reason,
    region_code,
    batch
from {{ relation }}
{%- endmacro %}

{#- A metric_id from its three parts; the basis is plain text, the others are expressions. -#}
{% macro metric_id(measure, dimension, basis) -%}
    {{ measure }} || '__' || {{ dimension }} || '__{{ basis }}'
{%- endmacro %}

{#- An open end as a moment after all others: joins on a plain comparison hash, joins on an `or` do not. -#}
{% macro or_never(moment) -%}
    coalesce({{ moment }}, cast('9999-12-31 00:00:00' as timestamp))
{%- endmacro %}

{#- The last moment before that: what holds then holds now. -#}
{% macro last_moment() -%}
    cast('9999-12-30 00:00:00' as timestamp)
{%- endmacro %}
