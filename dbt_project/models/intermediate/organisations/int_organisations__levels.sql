-- The list that holds a code decides its level; of several lists the first in this order.
{%- set lists = [
    ('ods_trusts', 'trust'), ('ods_gp_practices', 'gp_practice'), ('ods_practice_hierarchy', 'gp_practice'),
    ('ods_sites', 'site')
] %}
with listed as (
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
    r.org_code,
    case when length(r.org_code) = 3 then 'trust' else 'other' end as org_level,
    false as is_listed
from {{ ref('int_organisations__reported') }} as r
left join decided as d
    on r.org_code = d.org_code
where d.org_code is null
