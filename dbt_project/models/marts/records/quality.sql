{%- set columns = [
    'check_id', 'feed', 'batch', 'org_code', 'severity', 'passed', 'expected', 'observed', 'reason', 'checked_at'
] | join(',\n    ') -%}
select
    {{ columns }}
from {{ ref('stg_checks') }}

union all

select
    {{ columns }}
from {{ ref('int_quality__findings') }}

union all

select
    {{ columns }}
from {{ ref('int_quality__persons') }}
