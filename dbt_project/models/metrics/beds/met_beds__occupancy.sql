{#- Measure: the parts that it is the sum of. -#}
{%- set wholes = var('subjects')['occupancy_daily'].parts['covid_sitrep'] -%}
{%- set measures = {'reported': 'count(p.value)'} -%}
{%- for measure, parts in wholes.items() -%}
{%- set condition = "p.measure in ('" ~ parts | join("', '") ~ "')" -%}
{%- do measures.update({
    measure ~ '_found': 'count(case when ' ~ condition ~ ' then p.value end)',
    measure ~ '_sum': 'sum(case when ' ~ condition ~ ' then ' ~ exact('p.value') ~ ' end)',
    measure ~ '_state': strongest_state(condition),
    measure ~ '_gap': strongest_gap(condition)
}) -%}
{%- endfor -%}
with parts as (
    select
        r.measure,
        r.dimension,
        v.org_code,
        v.period_start,
        v.period_end,
        v.known_from,
        v.known_to,
        v.value,
        v.status,
        v.region_code,
        v.batch
    from {{ ref('int_observations__versions') }} as v
    inner join {{ ref('metrics') }} as r
        on v.metric_id = r.metric_id
    where
        r.basis = 'covid_sitrep'
        and r.dimension in ('general_acute', 'adult_critical_care')
        and r.measure in ('{{ wholes.values() | sum(start=[]) | unique | join("', '") }}')
),

{{ states_over_time('parts', ['dimension', 'org_code', 'period_start', 'period_end'], measures) }},

-- A sum with a part missing is missing: an unknown number of beds is not zero beds.
beds as (
    {%- for measure, parts in wholes.items() %}
    select
        {{ metric_id("'" ~ measure ~ "'", 'dimension', 'covid_sitrep') }} as metric_id,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        region_code,
        batch,
        case when {{ measure }}_found = {{ parts | length }} then {{ measure }}_sum end as value,
        {{ measure }}_state as state,
        {{ measure }}_gap as gap,
        case when reported > 0 then 'part_not_reported' end as reason
    from states
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

timeline as (
    select
        metric_id,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        cast(value as double) as value,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        {{ state_of_whole('value', 'state', 'gap') }} as status,
        case when value is null then reason end as status_reason,
        region_code,
        batch
    from beds
),

{{ merge_equal_versions('timeline') }}

{{ derived_columns('merged') }}
