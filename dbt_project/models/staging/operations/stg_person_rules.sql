select opt_outs_apply
from {{ source('operations', 'person_rules') }}
