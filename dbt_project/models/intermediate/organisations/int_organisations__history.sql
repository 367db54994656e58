with stated as (
    select
        s.org_code,
        s.attribute,
        s.value,
        s.batch,
        b.received_at,
        coalesce(s.stated_at, b.known_from) as stated_at,
        s.precedence,
        min(s.precedence) over (partition by s.org_code, s.attribute) as best_precedence
    from {{ ref('int_organisations__statements') }} as s
    inner join {{ ref('stg_batches') }} as b
        on s.list = b.feed and s.batch = b.batch
),

-- Of two issues with the same date the one received last counts.
ranked as (
    select
        org_code,
        attribute,
        value,
        stated_at,
        row_number() over (
            partition by org_code, attribute, stated_at order by received_at desc nulls last, batch desc nulls last
        ) as place
    from stated
    where precedence = best_precedence
),

compared as (
    select
        org_code,
        attribute,
        value,
        stated_at,
        row_number() over (partition by org_code, attribute order by stated_at nulls last) as issue,
        lag(value) over (partition by org_code, attribute order by stated_at nulls last) as value_before
    from ranked
    where place = 1
),

listed as (
    select
        org_code,
        attribute,
        value,
        case when issue = 1 then cast('{{ var('beginning') }}' as timestamp) else stated_at end as valid_from,
        lead(stated_at) over (partition by org_code, attribute order by stated_at nulls last) as valid_to
    from compared
    where issue = 1 or value is distinct from value_before
),

-- Hospital sites have no ICB or region in their list: theirs are those of their trust, while it is their trust.
of_site as (
    select
        site.org_code,
        trust.attribute,
        trust.value,
        greatest(site.valid_from, trust.valid_from) as valid_from,
        case
            when site.valid_to is null then trust.valid_to
            when trust.valid_to is null then site.valid_to
            else least(site.valid_to, trust.valid_to)
        end as valid_to
    from listed as site
    inner join listed as trust
        on
            site.value = trust.org_code
            and site.valid_from < {{ or_never('trust.valid_to') }}
            and trust.valid_from < {{ or_never('site.valid_to') }}
    inner join {{ ref('int_organisations__levels') }} as l
        on site.org_code = l.org_code and l.org_level = 'site'
    where site.attribute = 'trust_code' and trust.attribute in ('icb_code', 'region_code')
),

-- A practice's commissioners: each issue of the list tells the whole history of a practice, so the newest one counts.
memberships as (
    select
        m.org_code,
        m.parent_code,
        m.join_date,
        m.leave_date,
        rank() over (
            partition by m.org_code
            order by b.known_from desc nulls last, b.received_at desc nulls last, b.batch desc nulls last
        ) as place
    from {{ ref('stg_ods_practice_membership') }} as m
    inner join {{ ref('stg_batches') }} as b
        on b.feed = 'ods_practice_membership' and m.batch = b.batch
    inner join {{ ref('int_organisations__levels') }} as l
        on m.org_code = l.org_code and l.org_level = 'gp_practice'
),

succeeded as (
    select
        org_code,
        effective_date,
        {{ dbt.listagg('successor_code', "' '", 'order by successor_code nulls last') }} as successor_codes
    from {{ ref('int_organisations__successions') }}
    group by org_code, effective_date
),

above as (
    select
        region_code as org_code,
        'org_name' as attribute,
        region_name as value,
        valid_from,
        valid_to
    from {{ ref('regions') }}
    union all
    select
        icb_code as org_code,
        'org_name' as attribute,
        icb_name as value,
        valid_from,
        valid_to
    from {{ ref('icbs') }}
    union all
    select
        icb_code as org_code,
        'role' as attribute,
        role as value,
        valid_from,
        valid_to
    from {{ ref('icbs') }}
    union all
    select
        icb_code as org_code,
        'region_code' as attribute,
        region_code as value,
        min(valid_from) as valid_from,
        nullif(max(coalesce(valid_to, date '9999-12-31')), date '9999-12-31') as valid_to
    from {{ ref('icbs') }}
    group by icb_code, region_code
)

select
    h.org_code,
    h.attribute,
    h.valid_from,
    h.value,
    h.valid_to
from listed as h
inner join {{ ref('int_organisations__levels') }} as l
    on h.org_code = l.org_code
where h.value is not null and (h.attribute <> 'trust_code' or l.org_level = 'site')

union all

select
    org_code,
    attribute,
    valid_from,
    value,
    valid_to
from of_site

union all

select
    org_code,
    attribute,
    cast(valid_from as timestamp) as valid_from,
    value,
    -- The seeds' last day is inclusive, this end is not.
    cast(valid_to + 1 as timestamp) as valid_to
from above

union all

select
    org_code,
    'commissioner_code' as attribute,
    cast(join_date as timestamp) as valid_from,
    parent_code as value,
    cast(leave_date + 1 as timestamp) as valid_to
from memberships
where place = 1

union all

select
    org_code,
    'successor_code' as attribute,
    cast(effective_date as timestamp) as valid_from,
    successor_codes as value,
    cast(
        lead(effective_date) over (partition by org_code order by effective_date nulls last) as timestamp
    ) as valid_to
from succeeded
