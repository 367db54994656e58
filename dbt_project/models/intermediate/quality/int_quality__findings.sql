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

-- Cells that hold a zero and mean that nothing was reported, turned back by the feed's reader.
zeros as (
    select
        feed,
        batch,
        org_code,
        count(*) as cells
    from {{ ref('int_observations__published') }}
    where status_reason = 'zero_for_missing'
    group by feed, batch, org_code
),

runs as (
    select
        feed,
        org_code,
        max(batch) as batch,
        count(*) as returns_alike
    from {{ ref('int_quality__returns') }}
    group by feed, org_code, length_of_period, run
),

overdue as (
    select
        b.feed,
        b.batch,
        b.fresh_for_days,
        b.published_every,
        b.late_after_days,
        {{ dbt.datediff('b.covers_to', 'cast(r.published_at as date)', 'day') }} as days_old
    from {{ ref('int_quality__batches') }} as b
    cross join {{ ref('stg_releases') }} as r
    where
        b.is_newest
        and r.is_current
        and {{ dbt.datediff('b.covers_to', 'cast(r.published_at as date)', 'day') }} > b.fresh_for_days
),

repeated as (
    select
        feed,
        org_code,
        batch,
        max(returns_alike) as returns_alike
    from runs
    where returns_alike >= 5
    group by feed, org_code, batch
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
        feed || '.zeros_are_reported' as check_id,
        feed,
        batch,
        org_code,
        'warn' as severity,
        'a zero that was counted' as expected,
        cast(cells as {{ dbt.type_string() }}) || ' zeros in place of figures that were not reported' as observed,
        'These zeros cannot be counts beside the organisation''s other figures: they are taken as not reported and '
        || 'counted nowhere.' as reason
    from zeros
    union all
    select
        feed || '.returns_change' as check_id,
        feed,
        batch,
        org_code,
        'warn' as severity,
        'fewer than five returns in a row that are alike in every figure' as expected,
        cast(returns_alike as {{ dbt.type_string() }}) || ' returns alike' as observed,
        'The organisation sent the same figures several times in a row: an older return was probably sent again. Its '
        || 'figures are kept as they were published.' as reason
    from repeated
    union all
    select
        b.feed || '.is_fresh' as check_id,
        b.feed,
        b.batch,
        cast(null as {{ dbt.type_string() }}) as org_code,
        'warn' as severity,
        'the next publication within ' || cast(b.fresh_for_days as {{ dbt.type_string() }}) || ' days' as expected,
        cast(b.days_old as {{ dbt.type_string() }}) || ' days since the last period' as observed,
        'A publication is due every ' || b.published_every || ' and '
        || cast(b.late_after_days as {{ dbt.type_string() }}) || ' days may pass until it comes: it is overdue, or the '
        || 'collection has ended.' as reason
    from overdue as b
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
