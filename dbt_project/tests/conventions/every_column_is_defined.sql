-- A stranger can read every column: what it means, what it counts, when it is null, why it may be shown.
select
    table_name,
    column_name
from {{ ref('dictionary') }}
where
    coalesce(description, '') = ''
    or (
        column_name <> ''
        and (coalesce(unit, '') = '' or coalesce(states, '') = '' or coalesce(disclosure_class, '') = '')
    )
