-- The name and region that each organisation last gave in a return.
with named as (
    select
        o.org_code,
        o.org_name,
        o.region_code,
        b.known_from,
        max(o.period_start) as last_period
    from {{ ref('int_observations__published') }} as o
    inner join {{ ref('stg_batches') }} as b
        on o.feed = b.feed and o.batch = b.batch
    group by o.org_code, o.org_name, o.region_code, b.known_from
),

ranked as (
    select
        org_code,
        org_name,
        region_code,
        row_number() over (
            partition by org_code
            order by
                known_from desc nulls last,
                last_period desc nulls last,
                org_name asc nulls last,
                region_code asc nulls last
        ) as place
    from named
)

select
    org_code,
    org_name,
    region_code
from ranked
where place = 1
