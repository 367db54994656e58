-- Nobody, unless the legal basis in force says that opt-outs apply.
select o.person_pseudonym
from {{ ref('int_persons__opt_outs') }} as o
cross join {{ ref('stg_person_rules') }} as r
where r.opt_outs_apply and not o.is_deletion
