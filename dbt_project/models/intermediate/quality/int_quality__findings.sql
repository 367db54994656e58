-- Findings about single organisations and batches that the transformations make; the gate's own are in stg_checks.
with field_test as (
    select distinct
        feed,
        batch,
        org_code
    from {{ ref('int_observations__published') }}
    where status_reason = 'field_test'
),

-- What a batch has of each organisation's beds of one type on one day; a part that the batch does not carry for that
-- day was not collected and is not missed.
bed_parts as (
    select
        o.feed,
        o.batch,
        o.org_code,
        o.period_start,
        r.dimension,
        count(o.value) as parts_reported
    from {{ ref('int_observations__published') }} as o
    inner join {{ ref('metrics') }} as r
        on o.metric_id = r.metric_id
    where
        r.basis = 'covid_sitrep'
        and r.dimension in ('general_acute', 'adult_critical_care')
        and r.measure in ('covid_occupied_beds', 'non_covid_occupied_beds', 'unoccupied_beds')
    group by o.feed, o.batch, o.org_code, o.period_start, r.dimension
),

collected as (
    select
        p.feed,
        p.batch,
        p.period_start,
        r.dimension,
        count(*) as parts_collected
    from {{ ref('int_observations__publications') }} as p
    inner join {{ ref('metrics') }} as r
        on p.metric_id = r.metric_id
    where
        r.basis = 'covid_sitrep'
        and r.dimension in ('general_acute', 'adult_critical_care')
        and r.measure in ('covid_occupied_beds', 'non_covid_occupied_beds', 'unoccupied_beds')
    group by p.feed, p.batch, p.period_start, r.dimension
),

partly_reported as (
    select
        b.feed,
        b.batch,
        b.org_code,
        count(distinct b.period_start) as days
    from bed_parts as b
    inner join collected as c
        on
            b.feed = c.feed
            and b.batch = c.batch
            and b.period_start = c.period_start
            and b.dimension = c.dimension
    where b.parts_reported > 0 and b.parts_reported < c.parts_collected
    group by b.feed, b.batch, b.org_code
),

found as (
    select
        feed || '.field_test_trusts' as check_id,
        feed,
        batch,
        org_code,
        'warn' as severity,
        'four-hour breaches reported' as expected,
        'four-hour breaches not reported' as observed,
        'The trust took part in the field test of A&E standards (May 2019 to May 2023). It published zero '
        || 'breaches for all of its attendances, which means not reported: it is left out of the four-hour rate, '
        || 'and only there.' as reason
    from field_test
    union all
    select
        feed || '.bed_parts_complete' as check_id,
        feed,
        batch,
        org_code,
        'warn' as severity,
        'all parts of a bed count on every day' as expected,
        cast(days as {{ dbt.type_string() }}) || ' days with a part missing' as observed,
        'On these days the organisation reported some parts of its beds (with COVID-19, other, unoccupied) and '
        || 'not the others: its own totals of those days are missing, the parts count at higher levels.' as reason
    from partly_reported
    union all
    select
        feed || '.batch_accepted' as check_id,
        feed,
        batch,
        cast(null as {{ dbt.type_string() }}) as org_code,
        'error' as severity,
        'accepted' as expected,
        'quarantined' as observed,
        reason
    from {{ ref('stg_batches') }}
    where verdict = 'quarantined'
)

select
    f.check_id,
    f.feed,
    f.batch,
    f.org_code,
    f.severity,
    false as passed,
    f.expected,
    f.observed,
    f.reason,
    b.received_at as checked_at
from found as f
inner join {{ ref('stg_batches') }} as b
    on f.feed = b.feed and f.batch = b.batch
