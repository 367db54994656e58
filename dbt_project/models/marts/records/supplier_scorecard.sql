-- Periods of a feed from the first to the last that an organisation stands in: those are expected of it.
with returned as (
    select
        feed,
        org_code,
        count(case when figures_reported > 0 then 1 end) as periods_reported
    from {{ ref('int_quality__returns') }}
    group by feed, org_code
),

spans as (
    select
        feed,
        org_code,
        length_of_period,
        min(period_start) as first_start,
        max(period_start) as last_start
    from {{ ref('int_quality__returns') }}
    group by feed, org_code, length_of_period
),

periods as (
    select distinct
        feed,
        length_of_period,
        period_start,
        period_end
    from {{ ref('int_quality__returns') }}
),

expected as (
    select
        s.feed,
        s.org_code,
        count(*) as periods_expected
    from spans as s
    inner join periods as p
        on
            s.feed = p.feed
            and s.length_of_period = p.length_of_period
            and s.first_start <= p.period_start
            and s.last_start >= p.period_start
    group by s.feed, s.org_code
),

runs as (
    select
        feed,
        org_code,
        count(*) as returns_alike
    from {{ ref('int_quality__returns') }}
    group by feed, org_code, length_of_period, run
),

longest_runs as (
    select
        feed,
        org_code,
        max(returns_alike) as longest_identical_run
    from runs
    group by feed, org_code
),

-- A figure came with the batch that had it first.
first_known as (
    select
        r.feed,
        v.org_code,
        v.metric_id,
        v.period_start,
        v.period_end,
        v.batch,
        row_number() over (
            partition by v.metric_id, v.org_code, v.period_start, v.period_end order by v.known_from nulls last
        ) as place
    from {{ ref('int_observations__versions') }} as v
    inner join {{ ref('metrics') }} as r
        on v.metric_id = r.metric_id
    where v.value is not null
),

arrivals as (
    select
        feed,
        org_code,
        batch,
        count(*) as figures
    from first_known
    where place = 1
    group by feed, org_code, batch
),

punctuality as (
    select
        a.feed,
        a.org_code,
        sum(a.figures) as figures,
        percentile_cont(0.5) within group (order by cast(b.days_late as double)) as days_late
    from arrivals as a
    inner join {{ ref('int_quality__batches') }} as b
        on a.feed = b.feed and a.batch = b.batch
    group by a.feed, a.org_code
),

restated_figures as (
    select distinct
        metric_id,
        org_code,
        period_start,
        period_end
    from {{ ref('revision') }}
    where value_before is not null
),

restated as (
    select
        r.feed,
        f.org_code,
        count(*) as figures_restated
    from restated_figures as f
    inner join {{ ref('metrics') }} as r
        on f.metric_id = r.metric_id
    group by r.feed, f.org_code
)

select
    e.feed,
    e.org_code,
    cast(e.periods_expected as bigint) as periods_expected,
    cast(r.periods_reported as bigint) as periods_reported,
    {{ ratio('r.periods_reported', 'e.periods_expected') }} as completeness_rate,
    p.days_late,
    cast(coalesce(p.figures, 0) as bigint) as figures,
    cast(coalesce(s.figures_restated, 0) as bigint) as figures_restated,
    {{ ratio('coalesce(s.figures_restated, 0)', 'p.figures') }} as restatement_rate,
    cast(l.longest_identical_run as bigint) as longest_identical_run
from expected as e
inner join returned as r
    on e.feed = r.feed and e.org_code = r.org_code
inner join longest_runs as l
    on e.feed = l.feed and e.org_code = l.org_code
left join punctuality as p
    on e.feed = p.feed and e.org_code = p.org_code
left join restated as s
    on e.feed = s.feed and e.org_code = s.org_code
