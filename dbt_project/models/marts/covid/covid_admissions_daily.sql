{%- set measures = [
    'admissions_and_diagnoses', 'new_hospital_cases', 'community_admissions', 'community_admissions_lagged',
    'care_home_admissions'
] -%}
with providers as (
    select
        o.period_start as date,
        r.dimension,
        o.org_code,
        max(o.region_code) as region_code,
        {%- for measure in measures %}
        max(case when r.measure = '{{ measure }}' then o.value end) as {{ measure }}{%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('int_observations__versions') }} as o
    inner join {{ ref('metrics') }} as r
        on o.metric_id = r.metric_id
    where o.known_to is null and r.basis = 'covid_sitrep' and r.measure in ('{{ measures | join("', '") }}')
    group by o.period_start, r.dimension, o.org_code
),

{{ roll_up('providers', 'covid_admissions_daily', 'date', 'dimension', measures) }}

select
    f.date,
    o.org_level,
    f.org_code,
    o.org_name,
    {%- for measure in measures %}
    {{ whole('f.' ~ measure) }} as {{ measure }},
    {%- endfor %}
    f.orgs_expected,
    f.orgs_reported,
    case when f.orgs_reported > 0 then 'reported' else 'not_reported' end as status
from rolled_up as f
inner join {{ ref('int_organisations__current') }} as o
    on f.org_code = o.org_code
