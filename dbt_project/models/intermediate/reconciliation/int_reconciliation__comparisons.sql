-- The two sides of every pair in seed `pairs`, one row a quantity, organisation and period. `expected_ratio` is what
-- the left is to the right by definition; `known_from` is the newest publication of each side.
with figures as (
    select
        r.measure,
        r.dimension,
        r.basis,
        v.metric_id,
        v.org_code,
        v.period_start,
        v.period_end,
        v.value,
        v.known_from
    from {{ ref('met_observations__all') }} as v
    inner join {{ ref('metrics') }} as r
        on v.metric_id = r.metric_id
    where v.known_to is null and v.value is not null
),

-- Everybody's figures of a collection added, and England's own where it is published as such.
england as (
    select
        measure,
        dimension,
        basis,
        period_start,
        period_end,
        cast(sum({{ exact('value') }}) as double) as value,
        max(known_from) as known_from
    from figures
    where basis in ('kh03', 'msitae', 'covid_sitrep')
    group by measure, dimension, basis, period_start, period_end
    union all
    select
        measure,
        dimension,
        basis,
        period_start,
        period_end,
        value,
        known_from
    from figures
    where basis in ('kh03_series', 'ae_timeseries', 'ukhsa') and org_code = '{{ var('nation') }}'
),

england_pairs as (
    {%- for pair_id, left, right, measures in [
        ('kh03_series', 'kh03', 'kh03_series', {'available_beds': 'available_beds', 'occupied_beds': 'occupied_beds'}),
        (
            'ae_months', 'msitae', 'ae_timeseries',
            {
                'attendances': 'attendances', 'over_four_hours': 'over_four_hours',
                'emergency_admissions_via_ae': 'emergency_admissions_via_ae',
                'other_emergency_admissions': 'other_emergency_admissions',
                'waits_dta_over_12_hours': 'waits_dta_over_12_hours'
            }
        ),
        ('covid_admissions', 'covid_sitrep', 'ukhsa', {'admissions_and_diagnoses': 'admissions'})
    ] %}
    {%- set last_pair = loop.last %}
    {%- for left_measure, right_measure in measures.items() %}
    select
        '{{ pair_id }}' as pair_id,
        {{ metric_id("'" ~ left_measure ~ "'", 'l.dimension', left) }} as quantity,
        '{{ var('nation') }}' as org_code,
        l.period_start,
        l.period_end,
        l.value as left_value,
        r.value as right_value,
        cast(1 as double) as expected_ratio,
        l.known_from as left_known_from,
        r.known_from as right_known_from
    from england as l
    inner join england as r
        on l.dimension = r.dimension and l.period_start = r.period_start and l.period_end = r.period_end
    where
        l.basis = '{{ left }}'
        and r.basis = '{{ right }}'
        and l.measure = '{{ left_measure }}'
        and r.measure = '{{ right_measure }}'
    {{ 'union all' if not (last_pair and loop.last) }}
    {%- endfor %}
    {%- endfor %}
),

-- A count of beds in a return of several days is that of its last day.
critical_care as (
    select
        'critical_care_census' as pair_id,
        l.metric_id as quantity,
        l.org_code,
        r.period_start,
        r.period_end,
        l.value as left_value,
        r.value as right_value,
        cast(1 as double) as expected_ratio,
        l.known_from as left_known_from,
        r.known_from as right_known_from
    from figures as l
    inner join figures as r
        on
            l.measure = r.measure
            and l.dimension = r.dimension
            and l.org_code = r.org_code
            and l.period_end = r.period_end
    where l.basis = 'uec_sitrep' and r.basis = 'msitrep' and l.measure in ('open_beds', 'occupied_beds')
),

-- The days of a quarter that the winter collection has, averaged.
general_acute as (
    select
        l.metric_id as quantity,
        l.org_code,
        r.period_start,
        r.period_end,
        cast(sum({{ exact('l.value') }}) as double) / count(l.value) as left_value,
        max(r.value) as right_value,
        max(l.known_from) as left_known_from,
        max(r.known_from) as right_known_from
    from figures as l
    inner join figures as r
        on l.org_code = r.org_code and l.period_start >= r.period_start and l.period_end <= r.period_end
    where
        l.metric_id = 'open_beds__general_acute__uec_sitrep'
        and r.metric_id = 'available_beds__general_acute__kh03'
        and r.value > 0
    group by l.metric_id, l.org_code, r.period_start, r.period_end
),

usual_ratios as (
    select
        period_start,
        percentile_cont(0.5) within group (order by left_value / right_value) as expected_ratio
    from general_acute
    group by period_start
),

vaccinations as (
    select
        l.metric_id as quantity,
        r.org_code,
        l.period_start,
        l.period_end,
        cast(sum({{ exact('l.value') }}) as double) as left_value,
        max(r.value) as right_value,
        max(l.known_from) as left_known_from,
        max(r.known_from) as right_known_from
    from figures as l
    inner join {{ ref('regions') }} as g
        on l.org_code = g.region_code
    inner join figures as r
        on l.metric_id = r.metric_id and l.period_start = r.period_start and l.period_end = r.period_end
    where l.basis = 'nims' and r.org_code = '{{ var('nation') }}'
    group by l.metric_id, r.org_code, l.period_start, l.period_end
),

delayed as (
    select
        r.metric_id as quantity,
        l.org_code,
        l.period_start,
        l.period_end,
        l.value / ({{ dbt.datediff('l.period_start', 'l.period_end', 'day') }} + 1) as left_value,
        r.value as right_value,
        l.known_from as left_known_from,
        r.known_from as right_known_from
    from figures as l
    inner join figures as r
        on
            l.dimension = r.dimension
            and l.org_code = r.org_code
            and l.period_start = r.period_start
            and l.period_end = r.period_end
    where
        l.basis = 'msitdt' and l.measure = 'delayed_days' and r.basis = 'msitdt' and r.measure = 'people_delayed'
)

select
    'published_totals' as pair_id,
    metric_id as quantity,
    org_code,
    period_start,
    period_end,
    added_value as left_value,
    printed_value as right_value,
    cast(1 as double) as expected_ratio,
    known_from as left_known_from,
    known_from as right_known_from
from {{ ref('int_reconciliation__published_totals') }}

union all

select * from england_pairs

union all

select * from critical_care

union all

select
    'general_acute_quarter' as pair_id,
    g.quantity,
    g.org_code,
    g.period_start,
    g.period_end,
    g.left_value,
    g.right_value,
    u.expected_ratio,
    g.left_known_from,
    g.right_known_from
from general_acute as g
inner join usual_ratios as u
    on g.period_start = u.period_start

{%- for pair_id, relation in [('vaccinations_regions', 'vaccinations'), ('delayed_transfers', 'delayed')] %}

union all

select
    '{{ pair_id }}' as pair_id,
    quantity,
    org_code,
    period_start,
    period_end,
    left_value,
    right_value,
    cast(1 as double) as expected_ratio,
    left_known_from,
    right_known_from
from {{ relation }}
{%- endfor %}
