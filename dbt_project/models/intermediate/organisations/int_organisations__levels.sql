-- The list that holds a code decides its level; of several lists the first in this order.
{%- set lists = [
    ('ods_trusts', 'trust'), ('ods_gp_practices', 'gp_practice'), ('ods_practice_hierarchy', 'gp_practice'),
    ('ods_sites', 'site')
] %}
with named as (
    select org_code
    from {{ ref('int_organisations__reported') }}
    union
    -- A successor that neither a list nor a return names yet still has rows in the views.
    select c.counted_as as org_code
    from {{ ref('int_organisations__counted_as') }} as c
    inner join {{ ref('int_organisations__reported') }} as r
        on c.org_code = r.org_code
),

-- England, regions and ICBs that report for themselves are no new organisations.
above as (
    select '{{ var('nation') }}' as org_code
    union
    select region_code as org_code
    from {{ ref('regions') }}
    union
    select icb_code as org_code
    from {{ ref('icbs') }}
),

listed as (
    {%- for list, level in lists %}
    select
        org_code,
        {{ loop.index }} as place
    from {{ ref('stg_' ~ list) }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

decided as (
    select
        org_code,
        min(place) as place
    from listed
    group by org_code
)

select
    org_code,
    case place
        {%- for list, level in lists %}
        when {{ loop.index }} then '{{ level }}'
        {%- endfor %}
    end as org_level,
    true as is_listed
from decided

union all

select
    n.org_code,
    case when length(n.org_code) = 3 then 'trust' else 'other' end as org_level,
    false as is_listed
from named as n
left join decided as d
    on n.org_code = d.org_code
left join above as a
    on n.org_code = a.org_code
where d.org_code is null and a.org_code is null
