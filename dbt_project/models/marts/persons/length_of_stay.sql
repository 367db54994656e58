{{ config(materialized='by_period', made_of='int_spells__spells', dirty='int_stays__dirty_months', day='admission_month') }}
{#- Quantiles and Kaplan-Meier medians are read off counts of stays by nights, which are few and add up. -#}
{%- set key = ['admission_month', 'covid_group', 'age_band', 'critical_care_use'] -%}
{%- set quantiles = [('lower_quartile_nights', 0.25), ('median_nights', 0.5), ('upper_quartile_nights', 0.75), ('p90_nights', 0.9)] -%}
with stays as (
    select
        cast(date_trunc('month', s.stay_admission_date) as date) as admission_month,
        s.provider_code,
        s.site_code,
        s.practice_code,
        s.age_band,
        case when s.stay_has_critical_care then 'yes' else 'no' end as critical_care_use,
        coalesce(s.covid_from_date <= coalesce(s.stay_discharge_date, h.horizon_date), false) as is_covid_test,
        s.stay_is_covid_diagnosed as is_covid_diagnosed,
        s.stay_discharge_date is not null as is_completed,
        coalesce(s.stay_discharge_date, h.horizon_date) - s.stay_admission_date as nights
    from {{ ref('int_spells__spells') }} as s
    cross join {{ ref('int_spells__horizon') }} as h
    where s.is_stay_start and s.stay_admission_date >= {{ first_day() }} and s.stay_admission_date < {{ end_day() }}
),

counted as (
    select
        s.admission_month,
        s.provider_code,
        s.site_code,
        s.age_band,
        s.critical_care_use,
        s.is_covid_test,
        s.is_covid_diagnosed,
        s.nights,
        count(case when s.is_completed then 1 end) as ended,
        count(case when not s.is_completed then 1 end) as censored
    from stays as s
    where
        {{ is_written('s.admission_month', 'length_of_stay', ref('int_stays__dirty_months')) }}
    group by
        s.admission_month, s.provider_code, s.site_code, s.age_band, s.critical_care_use, s.is_covid_test,
        s.is_covid_diagnosed, s.nights
),

grouped as (
    {%- for covid_group, condition in [
        ('all', 'true'), ('covid_test', 'c.is_covid_test'), ('covid_diagnosed', 'c.is_covid_diagnosed')
    ] %}
    select
        c.admission_month,
        c.provider_code,
        c.site_code,
        placed.region_code,
        placed.icb_code,
        c.age_band,
        c.critical_care_use,
        '{{ covid_group }}' as covid_group,
        c.nights,
        c.ended,
        c.censored
    from counted as c
    {{ placed_on('c', 'c.admission_month') }}
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

leaf as (
    select
        admission_month,
        provider_code,
        site_code,
        region_code,
        icb_code,
        case when grouping(age_band) = 1 then 'all' else age_band end as age_band,
        case when grouping(critical_care_use) = 1 then 'all' else critical_care_use end as critical_care_use,
        covid_group,
        nights,
        sum(ended) as ended,
        sum(censored) as censored
    from grouped
    group by
        admission_month, provider_code, site_code, region_code, icb_code, covid_group, nights,
        cube(age_band, critical_care_use)
),

practice_leaf as (
    {%- for covid_group, condition in [
        ('all', 'true'), ('covid_test', 's.is_covid_test'), ('covid_diagnosed', 's.is_covid_diagnosed')
    ] %}
    select
        s.admission_month,
        s.practice_code,
        '{{ covid_group }}' as covid_group,
        s.nights,
        count(case when s.is_completed then 1 end) as ended,
        count(case when not s.is_completed then 1 end) as censored
    from stays as s
    where {{ is_written('s.admission_month', 'length_of_stay', ref('int_stays__dirty_months')) }} and {{ condition }}
    group by s.admission_month, s.practice_code, s.nights
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

by_nights as (
    {%- for level, code, has in hospital_levels() %}
    select
        admission_month,
        '{{ level }}' as org_level,
        {{ code }} as org_code,
        covid_group,
        age_band,
        critical_care_use,
        nights,
        sum(ended) as ended,
        sum(censored) as censored
    from leaf
    where {{ has }}{% if level == 'site' %} and age_band = 'all' and critical_care_use = 'all'{% endif %}
    group by admission_month, covid_group, age_band, critical_care_use, nights{{ ', ' ~ code if level != 'nation' }}
    union all
    {%- endfor %}
    select
        admission_month,
        'gp_practice' as org_level,
        practice_code as org_code,
        covid_group,
        'all' as age_band,
        'all' as critical_care_use,
        nights,
        ended,
        censored
    from practice_leaf
),

{%- set group = 'b.org_level, b.org_code, b.' ~ key | join(', b.') %}

at_risk as (
    select
        b.*,
        sum(b.ended) over (partition by {{ group }}) as all_ended,
        sum(b.ended) over (
            partition by {{ group }} order by b.nights rows between unbounded preceding and current row
        ) as ended_by,
        sum(b.ended + b.censored) over (
            partition by {{ group }} order by b.nights rows between current row and unbounded following
        ) as at_risk
    from by_nights as b
),

-- The share that stays longer than so many nights, as a sum of logarithms; nobody stays longer where all end.
staying as (
    select
        b.*,
        sum(case when b.ended = b.at_risk then -1000 else ln(1 - b.ended / cast(b.at_risk as double)) end) over (
            partition by {{ group }} order by b.nights rows between unbounded preceding and current row
        ) as log_staying
    from at_risk as b
),

figures as (
    select
        b.org_level,
        b.org_code,
        {%- for column in key %}
        b.{{ column }},
        {%- endfor %}
        sum(b.ended + b.censored) as stays,
        sum(b.ended) as completed_stays,
        {%- for name, share in quantiles %}
        min(case when b.ended_by > floor({{ share }} * (b.all_ended - 1)) and b.ended > 0 then b.nights end) as {{ name }}_below,
        min(case when b.ended_by > ceil({{ share }} * (b.all_ended - 1)) and b.ended > 0 then b.nights end) as {{ name }}_above,
        {%- endfor %}
        sum(b.censored) as still_in_hospital,
        {%- for nights in [7, 14, 21] %}
        sum(case when b.nights > {{ nights }} then b.censored else 0 end) as still_over_{{ nights }}_nights,
        {%- endfor %}
        min(case when exp(b.log_staying) <= 0.5 + 1e-9 then b.nights end) as km_median_nights
    from staying as b
    group by {{ group }}
),

{{ coverage('int_spells__expected', 'figures', key, 'admission_month') }}

select
    f.admission_month,
    f.org_level,
    f.org_code,
    {{ name_of_organisation() }} as org_name,
    f.covid_group,
    f.age_band,
    f.critical_care_use,
    cast(f.stays as bigint) as stays,
    cast(f.completed_stays as bigint) as completed_stays,
    {%- for name, share in quantiles %}
    cast(
        f.{{ name }}_below + (f.{{ name }}_above - f.{{ name }}_below)
        * ({{ share }} * (f.completed_stays - 1) - floor({{ share }} * (f.completed_stays - 1))) as double
    ) as {{ name }},
    {%- endfor %}
    cast(f.still_in_hospital as bigint) as still_in_hospital,
    cast(f.still_over_7_nights as bigint) as still_over_7_nights,
    cast(f.still_over_14_nights as bigint) as still_over_14_nights,
    cast(f.still_over_21_nights as bigint) as still_over_21_nights,
    cast(f.km_median_nights as bigint) as km_median_nights,
    {{ coverage_columns('coalesce(r.orgs_reported, 1)') }}
{{ with_coverage(key, 'admission_month') }}
