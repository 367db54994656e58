{%- set sources = ['int_spells__spells', 'int_occupancy__critical_care', 'int_spells__submissions'] -%}
{{ config(
    materialized='by_figure', alias='occupancy_daily', changes_of=sources,
    figure=['snapshot_date', 'org_level', 'org_code', 'bed_type'], present='occupied_beds > 0', made_of='int_spells__spells',
    days=['cast(admission_at as date)', 'horizon_date']
) }}
{#- Who is in a bed at eight in the morning; a stay is looked up on its mornings, not at its hours. In a night's delta what
changed is summed for the days that are there, and everybody for those that are new. -#}
{%- set spells = bed_spans() %}
{%- set changed = bed_spans(changed=true) %}
{%- set horizon = ref('int_spells__horizon') %}
{%- set submitted = days_of_new_submissions('int_spells__submissions', 'int_spells__horizon') %}
{%- set adds = adds_changes(sources) -%}
with periods as (
    select
        {{ first_day() }} as first_date,
        least({{ end_day() }} - 1, h.horizon_date) as last_date,
        {{ 'k.first_new_date' if adds else first_day() }} as first_new_date
    from {{ horizon }} as h
    {%- if adds %}
    cross join (
        select max(snapshot_date) + 1 as first_new_date
        from {{ kept(model.name) }}
    ) as k
    {%- endif %}
),

spans as (
    {%- if adds %}
    select
        s.*,
        p.first_date,
        coalesce(p.first_new_date, p.first_date) - 1 as last_date
    from (
        {{ changed }}
    ) as s
    cross join periods as p
    union all
    {%- endif %}
    select
        s.*,
        coalesce(p.first_new_date, p.first_date) as first_date,
        p.last_date
    from (
        {{ spells }}
    ) as s
    cross join periods as p
    where
        cast(s.starts_at as date) < {{ end_day() }}
        and cast({{ or_never('s.ends_at') }} as date) >= {{ first_day() }}
),

mornings as (
    select
        s.provider_code,
        s.site_code,
        s.practice_code,
        s.bed_type,
        s.weight,
        s.starts_at,
        {{ or_never('s.ends_at') }} as left_at,
        s.covid_from_date,
        {{ each_day(
            'greatest(cast(s.starts_at as date), s.first_date)',
            'least(cast(' ~ or_never('s.ends_at') ~ ' as date), s.last_date)'
        ) }} as snapshot_date
    from spans as s
    where
        cast(s.starts_at as date) <= s.last_date
        and cast({{ or_never('s.ends_at') }} as date) >= s.first_date
),

leaf as (
    select
        m.snapshot_date,
        m.provider_code,
        m.site_code,
        m.practice_code,
        m.bed_type,
        cast(sum(m.weight) as integer) as occupied_beds,
        cast(sum(case when m.covid_from_date <= m.snapshot_date then m.weight else 0 end) as integer) as covid_occupied_beds
    from mornings as m
    inner join {{ ref('int_clock__days') }} as d
        on m.snapshot_date = d.date and m.starts_at <= d.eight_at and m.left_at > d.eight_at
    group by m.snapshot_date, m.provider_code, m.site_code, m.practice_code, m.bed_type
    having sum(m.weight) <> 0 or sum(case when m.covid_from_date <= m.snapshot_date then m.weight else 0 end) <> 0
),

every_bed as (
    select *
    from leaf
    where bed_type <> 'other'
    union all
    select
        snapshot_date,
        provider_code,
        site_code,
        practice_code,
        'all' as bed_type,
        sum(occupied_beds) as occupied_beds,
        sum(covid_occupied_beds) as covid_occupied_beds
    from leaf
    group by snapshot_date, provider_code, site_code, practice_code
),

{{ levels_of(
    'every_bed', ['snapshot_date', 'bed_type'], 'snapshot_date', {'occupied_beds': 'sum', 'covid_occupied_beds': 'sum'},
    'int_spells__expected', practices=true, kept=all_kept(adds), lead=['occupied_beds'], expected_anew=submitted
) }}

select
    f.snapshot_date,
    f.org_level,
    f.org_code,
    {{ name_of_organisation() }} as org_name,
    f.bed_type,
    'person_level' as basis,
    cast(null as bigint) as open_beds,
    cast(f.occupied_beds as bigint) as occupied_beds,
    cast(f.covid_occupied_beds as bigint) as covid_occupied_beds,
    cast(null as bigint) as core_beds,
    cast(null as bigint) as escalation_beds,
    cast(null as double) as occupancy_rate,
    {{ coverage_columns() }},
    cast(null as {{ dbt.type_string() }}) as scope_break
{{ with_expectation('snapshot_date') }}
