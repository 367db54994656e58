-- What is odd about records of persons and shows only across files: kept, and said by batch and provider. Counts alone.
with overlapping as (
    select record_key
    from {{ ref('int_spells__spells') }}
    where is_overlap
),

held as (
    select record_key as spell_key
    from {{ ref('int_spells__latest') }}
    where not is_deletion and record_key in (select c.spell_key from {{ ref('int_critical_care__periods') }} as c)
),

odd as (
    select
        'apc_spells.spells_do_not_overlap' as check_id,
        'apc_spells' as feed,
        l.batch,
        l.provider_code,
        'An ordinary spell of a person began before an earlier one ended: the two are one stay.' as reason
    from {{ ref('int_spells__latest') }} as l
    where l.record_key in (select s.record_key from overlapping as s)
    union all
    select
        'critical_care_periods.spell_is_held' as check_id,
        'critical_care_periods' as feed,
        c.batch,
        c.provider_code,
        'A critical care period is of a spell that is not held: nobody is counted by it.' as reason
    from {{ ref('int_critical_care__periods') }} as c
    left join held as h
        on c.spell_key = h.spell_key
    where not c.is_deletion and h.spell_key is null
)

select
    o.check_id,
    o.feed,
    o.batch,
    o.provider_code as org_code,
    'warn' as severity,
    false as passed,
    '0 records' as expected,
    cast(count(*) as {{ dbt.type_string() }}) || ' records' as observed,
    o.reason,
    b.received_at as checked_at
from odd as o
inner join {{ ref('stg_batches') }} as b
    on o.feed = b.feed and o.batch = b.batch
group by o.check_id, o.feed, o.batch, o.provider_code, o.reason, b.received_at
