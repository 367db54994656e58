{%- set never = "date '9999-12-31'" -%}
with counted as (
    select
        organisation_view,
        feed,
        org_code,
        valid_from,
        valid_to,
        counted_as,
        is_apportionable
    from {{ ref('int_organisations__counted_as') }}
),

remapped as (
    select distinct org_code
    from counted
),

-- A site of a trust that is in parts today is itself the split: its own return goes to the trust that runs it now. From
-- the day on which its trust ended (such a row has no end) it is run by another, whatever the list says.
site_trusts as (
    select
        h.org_code,
        h.value as trust_code,
        cast(h.valid_from as date) as valid_from,
        coalesce(cast(h.valid_to as date), {{ never }}) as valid_to
    from {{ ref('int_organisations__history') }} as h
    left join remapped as c
        on h.org_code = c.org_code
    where h.attribute = 'trust_code' and c.org_code is null
),

now_trusts as (
    select
        s.org_code,
        coalesce(c.counted_as, s.trust_code) as trust_code
    from site_trusts as s
    left join counted as c
        on s.trust_code = c.org_code and c.organisation_view = 'as_current' and c.feed is null and c.valid_to = {{ never }}
    where s.valid_to = {{ never }} and coalesce(c.is_apportionable, true)
),

by_site as (
    select
        c.organisation_view,
        s.org_code,
        greatest(s.valid_from, c.valid_from) as valid_from,
        least(s.valid_to, c.valid_to) as valid_to,
        n.trust_code as counted_as
    from site_trusts as s
    inner join counted as c
        on
            s.trust_code = c.org_code
            and s.valid_from < c.valid_to
            and s.valid_to > c.valid_from
            and c.valid_to < {{ never }}
            and c.organisation_view = 'as_current'
            and c.feed is null
    inner join now_trusts as n
        on s.org_code = n.org_code
    where not c.is_apportionable
)

select
    organisation_view,
    feed,
    org_code,
    valid_from,
    nullif(valid_to, {{ never }}) as valid_to,
    counted_as,
    is_apportionable
from counted

union all

select
    organisation_view,
    cast(null as {{ dbt.type_string() }}) as feed,
    org_code,
    valid_from,
    nullif(valid_to, {{ never }}) as valid_to,
    counted_as,
    true as is_apportionable
from by_site
