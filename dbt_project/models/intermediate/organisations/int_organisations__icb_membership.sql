select
    h.org_code,
    h.value as icb_code,
    h.valid_from,
    h.valid_to
from {{ ref('int_organisations__history') }} as h
inner join {{ ref('int_organisations__levels') }} as l
    on h.org_code = l.org_code
where h.attribute = 'icb_code'
