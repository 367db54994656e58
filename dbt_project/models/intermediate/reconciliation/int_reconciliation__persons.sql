-- What persons' records come to beside what the provider's own return says, by provider and period. A month counts when
-- the records cover it to its end; a morning when it is one that the return has.
with attended as (
    select
        org_code,
        cast({{ dbt.date_trunc('month', 'date') }} as date) as month,
        cast(sum(attendances) as double) as attendances
    from {{ ref('ae_waiting_times_daily') }}
    where org_level = 'trust' and department_type = 'all'
    group by org_code, cast({{ dbt.date_trunc('month', 'date') }} as date)
),

covered as (
    select max(date) as last_date
    from {{ ref('ae_waiting_times_daily') }}
),

returned as (
    select
        org_code,
        month,
        {{ dbt.last_day('month', 'month') }} as month_end,
        cast(attendances as double) as attendances
    from {{ ref('ae_performance_monthly') }}
    where
        organisation_view = 'as_reported'
        and org_level not in ('nation', 'region', 'icb')
        and department_type = 'all'
        and attendances > 0
)

select
    'person_attendances' as pair_id,
    r.org_code,
    r.month as period_start,
    cast(r.month_end as date) as period_end,
    a.attendances as left_value,
    r.attendances as right_value
from returned as r
cross join covered as c
inner join attended as a
    on r.org_code = a.org_code and r.month = a.month
where cast(r.month_end as date) <= c.last_date

union all

select
    'person_occupancy' as pair_id,
    r.org_code,
    r.snapshot_date as period_start,
    r.snapshot_date as period_end,
    cast(p.occupied_beds as double) as left_value,
    cast(r.occupied_beds as double) as right_value
from {{ ref('occupancy_daily') }} as r
inner join {{ ref('occupancy_daily_person_level') }} as p
    on r.org_code = p.org_code and r.snapshot_date = p.snapshot_date and r.bed_type = p.bed_type
where
    r.organisation_view = 'as_reported'
    and r.basis = 'uec_sitrep'
    and r.bed_type = 'general_acute'
    and r.org_level not in ('nation', 'region', 'icb')
    and p.org_level = 'trust'
    and r.occupied_beds > 0
