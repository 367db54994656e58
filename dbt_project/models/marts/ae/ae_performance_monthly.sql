{%- set measures = [
    'attendances', 'over_four_hours', 'four_hour_attendances', 'emergency_admissions_via_ae',
    'waits_dta_4_to_12_hours', 'waits_dta_over_12_hours', 'other_emergency_admissions'
] -%}
with providers as (
    select
        o.period_start as month,
        r.dimension as department_type,
        o.org_code,
        max(o.region_code) as region_code,
        {%- for measure in measures %}
        max(case when r.measure = '{{ measure }}' then o.value end) as {{ measure }}{%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('met_observations__all') }} as o
    inner join {{ ref('metrics') }} as r
        on o.metric_id = r.metric_id
    where o.known_to is null and r.basis = 'msitae' and r.measure in ('{{ measures | join("', '") }}')
    group by o.period_start, r.dimension, o.org_code
),

{{ roll_up('providers', 'ae_performance_monthly', 'month', 'department_type', measures) }}

select
    f.month,
    o.org_level,
    f.org_code,
    o.org_name,
    f.department_type,
    {{ whole('f.attendances') }} as attendances,
    {{ whole('f.over_four_hours') }} as over_four_hours,
    {{ whole('f.four_hour_attendances') }} as four_hour_attendances,
    {{ ratio('f.four_hour_attendances - f.over_four_hours', 'f.four_hour_attendances') }} as within_four_hours_rate,
    {{ whole('f.emergency_admissions_via_ae') }} as emergency_admissions_via_ae,
    {{ whole('f.waits_dta_4_to_12_hours') }} as waits_dta_4_to_12_hours,
    {{ whole('f.waits_dta_over_12_hours') }} as waits_dta_over_12_hours,
    {{ whole('f.other_emergency_admissions') }} as other_emergency_admissions,
    f.orgs_expected,
    f.orgs_reported,
    case when f.attendances is null then 'not_reported' else 'reported' end as status
from rolled_up as f
inner join {{ ref('int_organisations__current') }} as o
    on f.org_code = o.org_code
