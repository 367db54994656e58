{%- set parts = ['covid_occupied_beds', 'non_covid_occupied_beds', 'unoccupied_beds'] -%}
{%- set measures = {'parts_reported': 'count(p.value)'} -%}
{%- for part in parts -%}
{%- do measures.update({part: "max(case when p.measure = '" ~ part ~ "' then " ~ exact('p.value') ~ " end)"}) -%}
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
        v.region_code,
        v.batch
    from {{ ref('int_observations__versions') }} as v
    inner join {{ ref('metrics') }} as r
        on v.metric_id = r.metric_id
    where
        r.basis = 'covid_sitrep'
        and r.dimension in ('general_acute', 'adult_critical_care')
        and r.measure in ('{{ parts | join("', '") }}')
),

{{ states_over_time('parts', ['dimension', 'org_code', 'period_start', 'period_end'], measures) }},

-- A sum with a part missing is missing: an unknown number of beds is not zero beds.
beds as (
    select
        dimension,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        region_code,
        batch,
        covid_occupied_beds + non_covid_occupied_beds as occupied_beds,
        covid_occupied_beds + non_covid_occupied_beds + unoccupied_beds as open_beds,
        case when parts_reported > 0 then 'part_not_reported' end as reason
    from states
),

timeline as (
    {%- for measure in ['occupied_beds', 'open_beds'] %}
    select
        {{ metric_id("'" ~ measure ~ "'", 'dimension', 'covid_sitrep') }} as metric_id,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        cast({{ measure }} as double) as value,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        case when {{ measure }} is null then 'not_reported' else 'reported' end as status,
        case when {{ measure }} is null then reason end as status_reason,
        region_code,
        batch
    from beds
    union all
    {%- endfor %}
    select
        {{ metric_id("'occupancy_rate'", 'dimension', 'covid_sitrep') }} as metric_id,
        org_code,
        period_start,
        period_end,
        known_from,
        known_to,
        {{ ratio('occupied_beds', 'open_beds') }} as value,
        cast(occupied_beds as double) as numerator,
        cast(open_beds as double) as denominator,
        case when open_beds <> 0 then 'reported' else 'not_reported' end as status,
        case
            when open_beds = 0 then 'denominator_zero'
            when open_beds is null then reason
        end as status_reason,
        region_code,
        batch
    from beds
),

{{ merge_equal_versions('timeline') }}

{{ derived_columns('merged') }}
