-- Every ratio of the registry, of the numerator and the denominator that it names there.
{%- set models = ['int_observations__versions'] + var('derived_metrics') | reject('equalto', 'met_observations__ratios') | list -%}
{%- set measures = {
    'numerator': "max(case when p.term = 'numerator' then p.value end)",
    'denominator': "max(case when p.term = 'denominator' then p.value end)",
    'reported': 'count(p.value)',
    'state': strongest_state(),
    'gap': strongest_gap(),
    'reason': 'max(case when p.value is null then p.status_reason end)'
} %}
with terms as (
    {%- for term in ['numerator', 'denominator'] %}
    select
        metric_id,
        '{{ term }}' as term,
        {{ term }}_metric_id as figure_id
    from {{ ref('metrics') }}
    where kind = 'ratio'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

parts as (
    {%- for model in models %}
    select
        t.metric_id,
        t.term,
        v.org_code,
        v.period_start,
        v.period_end,
        v.known_from,
        v.known_to,
        v.value,
        v.status,
        v.status_reason,
        v.region_code,
        v.batch
    from {{ ref(model) }} as v
    inner join terms as t
        on v.metric_id = t.figure_id
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{{ states_over_time('parts', ['metric_id', 'org_code', 'period_start', 'period_end'], measures) }},

timeline as (
    select
        metric_id,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        {{ ratio('numerator', 'denominator') }} as value,
        numerator,
        denominator,
        case
            when denominator = 0 then 'not_reported'
            else {{ state_of_whole(ratio('numerator', 'denominator'), 'state', 'gap') }}
        end as status,
        case
            when denominator = 0 then 'denominator_zero'
            when reported < 2 then coalesce(reason, case when reported = 1 then 'part_not_reported' end)
        end as status_reason,
        region_code,
        batch
    from states
),

{{ merge_equal_versions('timeline') }}

{{ derived_columns('merged') }}
