{{ config(materialized='by_period', made_of='int_spells__spells', dirty='int_occupancy__dirty_days', day='cast(hour_at as date)') }}
{#- A running sum of who goes into a bed and who leaves it. What is worked out is cut into periods (a month, or the changed
days of it), and a span that began before a period begins with it. -#}
{%- set dirty = ref('int_occupancy__dirty_days') -%}
with spans as (
    select
        s.provider_code,
        s.site_code,
        s.bed_type,
        s.starts_at,
        {{ or_never('s.ends_at') }} as ends_at,
        d.starts_at as covid_from_at
    from (
        {{ bed_spans() }}
    ) as s
    left join {{ ref('int_clock__days') }} as d
        on s.covid_from_date = d.date
    where
        s.starts_at < cast({{ end_day() }} as timestamp)
        and {{ or_never('s.ends_at') }} > cast({{ first_day() }} as timestamp)
),

horizon as (
    select {{ later('horizon_at', 1, 'hour') }} as ends_at
    from {{ ref('int_spells__horizon') }}
),

periods as (
    {%- if is_delta('occupancy_hourly') %}
    select
        cast(d.date as timestamp) as first_at,
        least({{ later('cast(d.date as timestamp)', 1, 'day') }}, h.ends_at) as end_at
    from {{ dirty }} as d
    cross join horizon as h
    where d.date >= {{ first_day() }} and d.date < {{ end_day() }}
    {%- else %}
    select
        cast({{ first_day() }} as timestamp) as first_at,
        least(cast({{ end_day() }} as timestamp), h.ends_at) as end_at
    from horizon as h
    {%- endif %}
),

-- The hours of the period at which the span is in the bed, and those at which it counts as COVID-19 too.
clipped as (
    select
        p.first_at,
        p.end_at,
        s.provider_code,
        s.site_code,
        s.bed_type,
        greatest({{ next_full_hour('s.starts_at') }}, p.first_at) as in_at,
        greatest({{ next_full_hour('s.starts_at') }}, p.first_at, s.covid_from_at) as covid_at,
        s.covid_from_at is not null as is_covid,
        least({{ next_full_hour('s.ends_at') }}, p.end_at) as out_at
    from spans as s
    inner join periods as p
        on s.starts_at < p.end_at and s.ends_at > p.first_at
),

moves as (
    {%- for moment, occupied, covid, condition in [
        ('in_at', 1, 0, 'in_at < out_at'),
        ('out_at', -1, 0, 'in_at < out_at'),
        ('covid_at', 0, 1, 'is_covid and covid_at < out_at'),
        ('out_at', 0, -1, 'is_covid and covid_at < out_at')
    ] %}
    select
        first_at,
        end_at,
        provider_code,
        site_code,
        bed_type,
        {{ moment }} as moved_at,
        {{ occupied }} as occupied,
        {{ covid }} as covid
    from clipped
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

net as (
    select
        first_at,
        end_at,
        provider_code,
        site_code,
        bed_type,
        moved_at,
        cast(sum(occupied) as integer) as occupied,
        cast(sum(covid) as integer) as covid
    from moves
    group by first_at, end_at, provider_code, site_code, bed_type, moved_at
),

runs as (
    select
        provider_code,
        site_code,
        bed_type,
        moved_at as first_hour,
        {{ later(
            'coalesce(lead(moved_at) over (partition by first_at, provider_code, site_code, bed_type '
            ~ 'order by moved_at), end_at)', -1, 'hour'
        ) }} as last_hour,
        sum(occupied) over (
            partition by first_at, provider_code, site_code, bed_type
            order by moved_at rows between unbounded preceding and current row
        ) as occupied,
        sum(covid) over (
            partition by first_at, provider_code, site_code, bed_type
            order by moved_at rows between unbounded preceding and current row
        ) as covid
    from net
),

leaf as (
    select
        provider_code,
        site_code,
        bed_type,
        cast(occupied as integer) as occupied,
        cast(covid as integer) as covid,
        {{ each_hour('first_hour', 'last_hour') }} as hour_at
    from runs
    where occupied > 0
),

every_bed as (
    select
        hour_at,
        provider_code,
        site_code,
        bed_type,
        occupied,
        covid
    from leaf
    where bed_type <> 'other'
    union all
    select
        hour_at,
        provider_code,
        site_code,
        'all' as bed_type,
        sum(occupied) as occupied,
        sum(covid) as covid
    from leaf
    group by hour_at, provider_code, site_code
),

{{ hourly_levels_of('every_bed', 'bed_type', {'occupied': 'sum', 'covid': 'sum'}, 'int_spells__expected') }}

select
    f.hour_at,
    f.org_level,
    f.org_code,
    {{ name_of_organisation() }} as org_name,
    f.bed_type,
    cast(f.occupied as bigint) as occupied_beds,
    cast(f.covid as bigint) as covid_occupied_beds,
    {{ coverage_columns() }}
{{ with_expectation('date') }}
