{%- set parts = ['covid_occupied_beds', 'non_covid_occupied_beds', 'unoccupied_beds'] -%}
with providers as (
    select
        o.period_start as snapshot_date,
        r.dimension as bed_type,
        o.org_code,
        max(o.region_code) as region_code,
        {%- for part in parts %}
        max(case when r.measure = '{{ part }}' then o.value end) as {{ part }}{%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('int_observations__versions') }} as o
    inner join {{ ref('metrics') }} as r
        on o.metric_id = r.metric_id
    where o.known_to is null and r.basis = 'covid_sitrep' and r.measure in ('{{ parts | join("', '") }}')
    group by o.period_start, r.dimension, o.org_code
),

{{ roll_up('providers', 'occupancy_daily', 'snapshot_date', 'bed_type', parts) }},

-- Each part is added over the organisations that reported it, then the parts are added: so nation and regions
-- equal what was published. All beds and ventilation beds are counted for COVID-19 patients alone.
beds as (
    select
        snapshot_date,
        bed_type,
        org_code,
        orgs_expected,
        orgs_reported,
        covid_occupied_beds,
        covid_occupied_beds + non_covid_occupied_beds as occupied_beds,
        covid_occupied_beds + non_covid_occupied_beds + unoccupied_beds as open_beds,
        case
            when bed_type in ('general_acute', 'adult_critical_care')
                then covid_occupied_beds + non_covid_occupied_beds
            else covid_occupied_beds
        end as lead_beds
    from rolled_up
)

select
    b.snapshot_date,
    o.org_level,
    b.org_code,
    o.org_name,
    b.bed_type,
    'covid_sitrep' as basis,
    {{ whole('b.open_beds') }} as open_beds,
    {{ whole('b.occupied_beds') }} as occupied_beds,
    {{ whole('b.covid_occupied_beds') }} as covid_occupied_beds,
    {{ ratio('b.occupied_beds', 'b.open_beds') }} as occupancy_rate,
    b.orgs_expected,
    b.orgs_reported,
    case when b.lead_beds is null then 'not_reported' else 'reported' end as status
from beds as b
inner join {{ ref('int_organisations__current') }} as o
    on b.org_code = o.org_code
