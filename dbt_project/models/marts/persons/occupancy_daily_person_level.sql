{{ config(materialized='by_period', made_of='int_spells__spells', dirty='int_occupancy__dirty_days', day='snapshot_date', alias='occupancy_daily') }}
{#- Who is in a bed at eight in the morning; a stay is looked up on its mornings, not at its hours. -#}
with spans as (
    select
        s.*,
        cast(s.starts_at as date) as first_date,
        cast(least({{ or_never('s.ends_at') }}, h.horizon_at) as date) as last_date,
        {{ or_never('s.ends_at') }} as left_at,
        h.horizon_date
    from (
        {{ bed_spans() }}
    ) as s
    cross join {{ ref('int_spells__horizon') }} as h
),

mornings as (
    select
        s.provider_code,
        s.site_code,
        s.practice_code,
        s.bed_type,
        s.starts_at,
        s.left_at,
        s.covid_from_date,
        {{ each_day(
            'greatest(s.first_date, ' ~ first_day() ~ ')', 'least(s.last_date, s.horizon_date, ' ~ end_day() ~ ' - 1)'
        ) }} as date
    from spans as s
    where s.first_date < {{ end_day() }} and s.last_date >= {{ first_day() }}
),

leaf as (
    select
        m.date,
        m.provider_code,
        m.site_code,
        m.practice_code,
        m.bed_type,
        count(*) as occupied,
        count(case when m.covid_from_date <= m.date then 1 end) as covid
    from mornings as m
    inner join {{ ref('int_clock__days') }} as d
        on m.date = d.date and m.starts_at <= d.eight_at and m.left_at > d.eight_at
    where {{ is_written('m.date', 'occupancy_daily_person_level', ref('int_occupancy__dirty_days')) }}
    group by m.date, m.provider_code, m.site_code, m.practice_code, m.bed_type
),

every_bed as (
    select *
    from leaf
    where bed_type <> 'other'
    union all
    select
        date,
        provider_code,
        site_code,
        practice_code,
        'all' as bed_type,
        sum(occupied) as occupied,
        sum(covid) as covid
    from leaf
    group by date, provider_code, site_code, practice_code
),

{{ levels_of(
    'every_bed', ['date', 'bed_type'], 'date', {'occupied': 'sum', 'covid': 'sum'}, 'int_spells__expected', practices=true
) }}

select
    f.date as snapshot_date,
    f.org_level,
    f.org_code,
    {{ name_of_organisation() }} as org_name,
    f.bed_type,
    'person_level' as basis,
    cast(null as bigint) as open_beds,
    cast(f.occupied as bigint) as occupied_beds,
    cast(f.covid as bigint) as covid_occupied_beds,
    cast(null as bigint) as core_beds,
    cast(null as bigint) as escalation_beds,
    cast(null as double) as occupancy_rate,
    {{ coverage_columns() }},
    cast(null as {{ dbt.type_string() }}) as scope_break
{{ with_expectation('date') }}
