{%- set sources = ['int_spells__spells', 'int_occupancy__critical_care', 'int_spells__submissions'] -%}
{{ config(
    materialized='by_figure', changes_of=sources, figure=['hour_at', 'org_level', 'org_code', 'bed_type'],
    present='occupied_beds > 0', made_of='int_spells__spells', days=['cast(admission_at as date)', 'horizon_date + 1']
) }}
{#- A running sum of who goes into a bed and who leaves it. Worked out whole, it is cut into periods, and a span that began
before a period begins with it. In a night's delta what changed is summed for the hours that are there, and everybody for
those that are new. -#}
{%- set spells = bed_spans() %}
{%- set changed = bed_spans(changed=true) %}
{%- set horizon = ref('int_spells__horizon') %}
{%- set submitted = days_of_new_submissions('int_spells__submissions', 'int_spells__horizon') %}
{%- set adds = adds_changes(sources) -%}
with periods as (
    select
        cast({{ first_day() }} as timestamp) as first_at,
        least(cast({{ end_day() }} as timestamp), {{ later('h.horizon_at', 1, 'hour') }}) as end_at,
        {{ 'k.first_new_hour' if adds else 'cast(' ~ first_day() ~ ' as timestamp)' }} as first_new_hour
    from {{ horizon }} as h
    {%- if adds %}
    cross join (
        select {{ later('max(hour_at)', 1, 'hour') }} as first_new_hour
        from {{ kept(model.name) }}
    ) as k
    {%- endif %}
),

spans as (
    {%- if adds %}
    select
        s.*,
        p.first_at,
        coalesce(p.first_new_hour, p.first_at) as end_at
    from (
        {{ changed }}
    ) as s
    cross join periods as p
    union all
    {%- endif %}
    select
        s.*,
        coalesce(p.first_new_hour, p.first_at) as first_at,
        p.end_at
    from (
        {{ spells }}
    ) as s
    cross join periods as p
    where
        s.starts_at < cast({{ end_day() }} as timestamp)
        and {{ or_never('s.ends_at') }} > cast({{ first_day() }} as timestamp)
),

-- The hours of the period at which the span is in the bed, and those at which it counts as COVID-19 too.
clipped as (
    select
        s.first_at,
        s.end_at,
        s.provider_code,
        s.site_code,
        s.bed_type,
        s.weight,
        greatest({{ next_full_hour('s.starts_at') }}, s.first_at) as in_at,
        greatest({{ next_full_hour('s.starts_at') }}, s.first_at, d.starts_at) as covid_at,
        d.starts_at is not null as is_covid,
        least({{ next_full_hour(or_never('s.ends_at')) }}, s.end_at) as out_at
    from spans as s
    left join {{ ref('int_clock__days') }} as d
        on s.covid_from_date = d.date
    where s.starts_at < s.end_at and {{ or_never('s.ends_at') }} > s.first_at
),

moves as (
    {%- for moment, occupied, covid, condition in [
        ('in_at', 'weight', '0', 'in_at < out_at'),
        ('out_at', '-weight', '0', 'in_at < out_at'),
        ('covid_at', '0', 'weight', 'is_covid and covid_at < out_at'),
        ('out_at', '0', '-weight', 'is_covid and covid_at < out_at')
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
        cast(occupied as integer) as occupied_beds,
        cast(covid as integer) as covid_occupied_beds,
        {{ each_hour('first_hour', 'last_hour') }} as hour_at
    from runs
    where occupied <> 0 or covid <> 0
),

every_bed as (
    select
        hour_at,
        provider_code,
        site_code,
        bed_type,
        occupied_beds,
        covid_occupied_beds
    from leaf
    where bed_type <> 'other'
    union all
    select
        hour_at,
        provider_code,
        site_code,
        'all' as bed_type,
        sum(occupied_beds) as occupied_beds,
        sum(covid_occupied_beds) as covid_occupied_beds
    from leaf
    group by hour_at, provider_code, site_code
),

{{ hourly_levels_of(
    'every_bed', 'bed_type', {'occupied_beds': 'sum', 'covid_occupied_beds': 'sum'}, 'int_spells__expected',
    kept=all_kept(adds), lead=['occupied_beds'], expected_anew=submitted
) }}

select
    f.hour_at,
    f.org_level,
    f.org_code,
    {{ name_of_organisation() }} as org_name,
    f.bed_type,
    cast(f.occupied_beds as bigint) as occupied_beds,
    cast(f.covid_occupied_beds as bigint) as covid_occupied_beds,
    {{ coverage_columns() }}
{{ with_expectation('date') }}
