-- Steps followed to their end. A code that a feed is known to use for another one begins at that other one.
{%- set hops = 6 %}
with start as (
    select distinct
        organisation_view,
        cast(null as {{ dbt.type_string() }}) as feed,
        org_code,
        date '1900-01-01' as valid_from,
        date '9999-12-31' as valid_to,
        org_code as counted_as,
        cast(null as date) as looked_up_on,
        true as is_apportionable
    from {{ ref('int_organisations__steps') }}
    {%- for view in ['as_at_date', 'as_current'] %}
    union all
    select
        '{{ view }}' as organisation_view,
        feed,
        code_used as org_code,
        coalesce(valid_from, date '1900-01-01') as valid_from,
        -- The seed's last day is inclusive, this end is not.
        coalesce(valid_to + 1, date '9999-12-31') as valid_to,
        real_code as counted_as,
        cast(null as date) as looked_up_on,
        true as is_apportionable
    from {{ ref('aliases_by_feed') }}
    {%- endfor %}
)
{%- for hop in range(1, hops + 2) %}
{%- set before = 'start' if loop.first else 'after_' ~ (hop - 1) %},

after_{{ hop }} as (
    select
        b.organisation_view,
        b.feed,
        b.org_code,
        case when b.looked_up_on is null then greatest(b.valid_from, coalesce(s.valid_from, b.valid_from)) else b.valid_from end
            as valid_from,
        case when b.looked_up_on is null then least(b.valid_to, coalesce(s.valid_to, b.valid_to)) else b.valid_to end
            as valid_to,
        coalesce(s.next_code, b.counted_as) as counted_as,
        coalesce(s.looked_up_on, b.looked_up_on) as looked_up_on,
        coalesce(s.is_apportionable, true) as is_apportionable,
        b.counted_as as counted_before
    from {{ before }} as b
    left join {{ ref('int_organisations__steps') }} as s
        on
            b.organisation_view = s.organisation_view
            and b.counted_as = s.org_code
            and coalesce(b.looked_up_on + 1, b.valid_to) > s.valid_from
            and coalesce(b.looked_up_on, b.valid_from) < s.valid_to
)
{%- endfor %}

select
    organisation_view,
    feed,
    org_code,
    valid_from,
    valid_to,
    counted_as,
    is_apportionable,
    counted_as = counted_before as is_followed_to_its_end
from after_{{ hops + 1 }}
where feed is not null or counted_as <> org_code or not is_apportionable
