-- What is odd about records of persons and shows only across files: kept, and said by batch and provider. Counts alone.
with odd as (
    select
        'apc_spells.spells_do_not_overlap' as check_id,
        'apc_spells' as feed,
        l.batch,
        l.provider_code,
        'An ordinary spell of a person began before an earlier one ended: the two are one stay.' as reason
    from {{ ref('int_spells__spells') }} as s
    inner join {{ ref('int_spells__latest') }} as l
        on s.record_key = l.record_key
    where s.is_overlap
    union all
    select
        'critical_care_periods.spell_is_held' as check_id,
        'critical_care_periods' as feed,
        c.batch,
        c.provider_code,
        'A critical care period is of a spell that is not held: nobody is counted by it.' as reason
    from {{ ref('int_critical_care__periods') }} as c
    left join {{ ref('int_spells__latest') }} as l
        on c.spell_key = l.record_key and not l.is_deletion
    where not c.is_deletion and l.record_key is null
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
