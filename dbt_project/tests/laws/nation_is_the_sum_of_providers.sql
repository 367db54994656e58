-- England in every subject mart and every organisation view is what the providers' current figures add to: nothing lost,
-- nothing twice. A measure that a basis gives in parts is the sum of all of them. Averages are equal to a millionth.
{%- set counted = [] -%}
{%- for mart, subject in var('subjects').items() -%}
{%- for measure in subject.measures if measure not in (subject.rates or {}) -%}
{%- for basis in subject.bases -%}
{%- set parts = ((subject.parts or {})[basis] or {})[measure] or [measure] -%}
{%- do counted.append((mart, subject, measure, basis, parts)) -%}
{%- endfor -%}
{%- endfor -%}
{%- endfor %}
with known as (
    select
        r.measure,
        r.dimension,
        r.basis,
        o.period_start,
        o.period_end,
        o.value
    from {{ ref('observation') }} as o
    inner join {{ ref('metrics') }} as r
        on o.metric_id = r.metric_id
    where o.known_to is null and r.adds_over_organisations
),

added as (
    {%- for mart, subject, measure, basis, parts in counted %}
    select
        '{{ mart }}' as mart,
        '{{ measure }}' as measure,
        '{{ basis }}' as basis,
        dimension,
        period_{{ subject.period.dated }} as period,
        case
            when count(distinct case when value is not null then measure end) = {{ parts | length }}
                then sum({{ exact('value') }})
        end as value
    from known
    where
        basis = '{{ basis }}'
        and measure in ('{{ parts | join("', '") }}')
        {%- if not subject.dimension %}
        and dimension = 'all'
        {%- endif %}
    group by dimension, period_{{ subject.period.dated }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

ours as (
    {%- for view in var('organisation_views') %}
    select
        '{{ view }}' as organisation_view,
        mart,
        measure,
        basis,
        dimension,
        period,
        value
    from added
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

shown as (
    {%- for mart, subject, measure, basis, parts in counted %}
    select
        organisation_view,
        '{{ mart }}' as mart,
        '{{ measure }}' as measure,
        '{{ basis }}' as basis,
        {{ subject.dimension or "'all'" }} as dimension,
        {{ subject.period.column }} as period,
        {{ exact(measure) }} as value
    from {{ ref(mart) }}
    where org_level = 'nation'{{ " and basis = '" ~ basis ~ "'" if subject.bases | length > 1 }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

shown_once as (
    select
        organisation_view,
        mart,
        measure,
        basis,
        dimension,
        period,
        sum(value) as value
    from shown
    where basis in (select known.basis from known)
    group by organisation_view, mart, measure, basis, dimension, period
)

select
    coalesce(s.mart, o.mart) as mart,
    coalesce(s.organisation_view, o.organisation_view) as organisation_view,
    coalesce(s.measure, o.measure) as measure,
    coalesce(s.basis, o.basis) as basis,
    coalesce(s.dimension, o.dimension) as dimension,
    coalesce(s.period, o.period) as period
from shown_once as s
full outer join ours as o
    on
        s.organisation_view = o.organisation_view
        and s.mart = o.mart
        and s.measure = o.measure
        and s.basis = o.basis
        and s.dimension = o.dimension
        and s.period = o.period
where
    (s.value is null) <> (o.value is null)
    or abs(s.value - o.value) > 0.000001
