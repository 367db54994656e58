{{ config(materialized='by_period', made_of='int_ae__attendances', dirty='int_ae__dirty_reattendances', day='date') }}
{%- set day_before = later(first_day(), -8, 'day') -%}
with attendances as (
    select
        a.record_key,
        a.person_pseudonym,
        a.arrival_at,
        a.arrival_date,
        a.provider_code,
        a.site_code,
        a.practice_code,
        coalesce(l.lineage_code, a.provider_code) as lineage_code
    from {{ ref('int_ae__attendances') }} as a
    left join {{ ref('int_persons__lineages') }} as l
        on a.provider_code = l.org_code
    where
        a.is_counted
        and a.person_pseudonym is not null
        and a.arrival_date >= {{ day_before }}
        and a.arrival_date < {{ end_day() }}
),

several as (
    select
        person_pseudonym,
        lineage_code
    from attendances
    group by person_pseudonym, lineage_code
    having count(*) > 1
),

preceded as (
    select
        a.record_key,
        a.arrival_at,
        lag(a.arrival_at) over (
            partition by a.person_pseudonym, a.lineage_code
            order by a.arrival_at, a.provider_code, o.ordinal nulls last, a.record_key
        ) as before_at
    from attendances as a
    inner join several as s
        on a.person_pseudonym = s.person_pseudonym and a.lineage_code = s.lineage_code
    left join {{ ref('stg_sent_order') }} as o
        on a.record_key = o.record_key
),

reattended as (
    select record_key
    from preceded
    where {{ minutes_between('before_at', 'arrival_at') }} <= 10080
),

leaf as (
    select
        a.arrival_date as date,
        a.provider_code,
        a.site_code,
        a.practice_code,
        count(*) as attendances,
        count(r.record_key) as reattendances
    from attendances as a
    left join reattended as r
        on a.record_key = r.record_key
    where {{ is_written('a.arrival_date', 'reattendance_daily', ref('int_ae__dirty_reattendances')) }}
    group by a.arrival_date, a.provider_code, a.site_code, a.practice_code
),

{{ levels_of(
    'leaf', ['date'], 'date', {'attendances': 'sum', 'reattendances': 'sum'}, 'int_ae__expected', practices=true
) }}

select
    f.date,
    f.org_level,
    f.org_code,
    {{ name_of_organisation() }} as org_name,
    cast(f.attendances as bigint) as attendances,
    cast(f.reattendances as bigint) as reattendances_within_7_days,
    {{ ratio('f.reattendances', 'f.attendances') }} as reattendance_rate,
    {{ coverage_columns() }}
{{ with_expectation('date') }}
