-- Organisations that a subject expects for a period, by its lead measure: those that report it now, those that
-- the publication before had, and those that report it for the calendar period before.
with latest_publications as (
    select
        c.metric_id,
        p.period_start,
        p.period_end,
        max(p.known_from) as known_from
    from {{ ref('int_observations__components') }} as c
    inner join {{ ref('lead_metrics') }} as l
        on c.metric_id = l.metric_id
    inner join {{ ref('int_observations__publications') }} as p
        on c.component_id = p.metric_id
    group by c.metric_id, p.period_start, p.period_end
),

-- The newest version and the one that the newest publication replaced.
candidates as (
    select
        l.subject,
        l.dimension,
        l.precedence,
        o.org_code,
        o.period_start,
        o.period_end,
        o.region_code,
        o.status,
        o.known_to
    from {{ ref('met_observations__all') }} as o
    inner join {{ ref('lead_metrics') }} as l
        on o.metric_id = l.metric_id
    inner join latest_publications as p
        on o.metric_id = p.metric_id and o.period_start = p.period_start and o.period_end = p.period_end
    where o.known_to is null or o.known_to = p.known_from
),

-- The lead measure of an organisation that has no row of the first one is the next one that it has.
led as (
    select
        subject,
        dimension,
        org_code,
        period_start,
        period_end,
        min(precedence) as precedence
    from candidates
    group by subject, dimension, org_code, period_start, period_end
),

known as (
    select
        c.subject,
        c.dimension,
        c.org_code,
        c.period_start,
        c.period_end,
        max(c.region_code) as region_code,
        max(case when c.known_to is null and c.status = 'reported' then 1 else 0 end) as is_reported,
        max(case when c.status = 'reported' then 1 else 0 end) as is_known
    from candidates as c
    inner join led as l
        on
            c.subject = l.subject
            and c.dimension = l.dimension
            and c.org_code = l.org_code
            and c.period_start = l.period_start
            and c.period_end = l.period_end
            and c.precedence = l.precedence
    group by c.subject, c.dimension, c.org_code, c.period_start, c.period_end
),

published_periods as (
    select distinct
        subject,
        dimension,
        period_start
    from known
),

expected as (
    select
        subject,
        dimension,
        period_start,
        org_code,
        region_code,
        is_reported,
        1 as is_of_this_period
    from known
    where is_known = 1
    union all
    select
        k.subject,
        k.dimension,
        n.period_start,
        k.org_code,
        k.region_code,
        0 as is_reported,
        0 as is_of_this_period
    from known as k
    inner join published_periods as n
        on k.subject = n.subject and k.dimension = n.dimension and k.period_end + 1 = n.period_start
    where k.is_reported = 1
)

select
    subject,
    dimension,
    period_start,
    org_code,
    coalesce(max(case when is_of_this_period = 1 then region_code end), max(region_code)) as region_code,
    max(is_reported) as is_reported
from expected
group by subject, dimension, period_start, org_code
