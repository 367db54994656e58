-- One successor, or null: what became of a code in parts stands in organisation_history.
with successors as (
    select
        org_code,
        value as successor_code
    from {{ ref('int_organisations__history') }}
    where attribute = 'successor_code' and valid_to is null and value not like '% %' and value <> org_code
)

select
    o.org_code,
    o.org_level,
    o.org_name,
    o.open_date,
    o.close_date,
    o.trust_code,
    o.icb_code,
    o.region_code,
    s.successor_code
from {{ ref('int_organisations__current') }} as o
left join successors as s
    on o.org_code = s.org_code
