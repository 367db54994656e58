{#- The code at the end of the chain of successions; a code that was split ends it. -#}
with recursive single as (
    select
        org_code,
        max(successor_code) as successor_code
    from {{ ref('int_organisations__successions') }}
    group by org_code
    having count(distinct successor_code) = 1 and max(successor_code) <> org_code
),

chains as (
    select
        org_code,
        successor_code as lineage_code,
        1 as steps
    from single
    union all
    select
        c.org_code,
        s.successor_code as lineage_code,
        c.steps + 1 as steps
    from chains as c
    inner join single as s
        on c.lineage_code = s.org_code
    where c.steps < 50
),

ranked as (
    select
        org_code,
        lineage_code,
        row_number() over (partition by org_code order by steps desc) as place
    from chains
)

select
    org_code,
    lineage_code
from ranked
where place = 1
