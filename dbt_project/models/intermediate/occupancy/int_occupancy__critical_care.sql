{{ config(materialized='by_key', key='person_key', touched='int_spells__touched') }}
{#- Ordinary spells with critical care, cut where the kind of bed changes. Of periods that overlap the one with the latest
start counts, then the one with the greatest identifier as sent. -#}
with spells as (
    select
        record_key,
        person_key,
        provider_code,
        site_code,
        practice_code,
        treatment_function_code,
        admission_at,
        discharge_at,
        covid_from_date,
        {{ or_never('discharge_at') }} as left_at
    from {{ ref('int_spells__spells') }}
    where
        patient_classification = '1'
        and has_critical_care
        and {{ is_touched('person_key', 'int_occupancy__critical_care', ref('int_spells__touched')) }}
),

periods as (
    select
        s.record_key,
        s.admission_at,
        s.left_at,
        {{ critical_care_bed_type('p.critical_care_unit_function') }} as bed_type,
        p.critical_care_start_at as starts_at,
        {{ or_never('p.critical_care_discharge_at') }} as ends_at,
        o.ordinal,
        p.record_key as period_key
    from spells as s
    inner join {{ ref('int_critical_care__periods') }} as p
        on s.record_key = p.spell_key and not p.is_deletion
    left join {{ ref('stg_sent_order') }} as o
        on p.record_key = o.record_key
),

bounds as (
    select
        record_key,
        admission_at as starts_at
    from spells
    union
    select
        record_key,
        starts_at
    from periods
    where starts_at > admission_at and starts_at < left_at
    union
    select
        record_key,
        ends_at as starts_at
    from periods
    where ends_at > admission_at and ends_at < left_at
),

spans as (
    select
        record_key,
        starts_at,
        lead(starts_at) over (partition by record_key order by starts_at) as ends_at
    from bounds
),

ranked as (
    select
        a.record_key,
        a.starts_at,
        a.ends_at,
        p.bed_type,
        row_number() over (
            partition by a.record_key, a.starts_at
            order by p.starts_at desc nulls last, p.ordinal desc nulls last, p.period_key desc nulls last
        ) as place
    from spans as a
    left join periods as p
        on a.record_key = p.record_key and a.starts_at >= p.starts_at and a.starts_at < p.ends_at
)

select
    s.record_key,
    s.person_key,
    s.provider_code,
    s.site_code,
    s.practice_code,
    coalesce(r.bed_type, {{ ward_bed_type('s.treatment_function_code') }}) as bed_type,
    r.starts_at,
    coalesce(r.ends_at, s.discharge_at) as ends_at,
    s.covid_from_date
from spells as s
inner join ranked as r
    on s.record_key = r.record_key
where r.place = 1
