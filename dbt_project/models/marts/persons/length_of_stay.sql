{%- set key = ['admission_month', 'covid_group', 'age_band', 'critical_care_use'] -%}
{%- set figure = stay_figure() -%}
{%- set sources = ['int_spells__spells', 'int_spells__submissions'] -%}
{{ config(
    materialized='by_figure', changes_of=sources, figure=figure, present='stays > 0', made_of='int_spells__spells',
    days=['stay_admission_date', 'stay_admission_date']
) }}
{#- Quantiles and Kaplan-Meier medians are read off counts of stays by nights, which are few and add up: those of ended
stays are kept, those of open ones grow each night. In a night's delta the figures of open stays and of changed ones are
worked out again. -#}
{%- set quantiles = [('lower_quartile_nights', 0.25), ('median_nights', 0.5), ('upper_quartile_nights', 0.75), ('p90_nights', 0.9)] -%}
{%- set changes = changes_of('int_spells__spells') -%}
{%- set submitted = days_of_new_submissions('int_spells__submissions', 'int_spells__horizon') -%}
{%- set adds = adds_changes(sources) -%}
with stays as (
    select
        {{ stay_columns() }},
        1 as weight
    from {{ ref('int_spells__spells') }} as s
    cross join {{ ref('int_spells__horizon') }} as h
    where s.is_stay_start and s.stay_discharge_date is null and {{ is_within('s.stay_admission_date') }}
    {%- if adds %}
    union all
    select
        {{ stay_columns() }},
        0 as weight
    from {{ changes }} as s
    cross join {{ ref('int_spells__horizon') }} as h
    where s.is_stay_start
    {%- endif %}
),

{{ stays_by_nights() }},

{%- if adds %}

touched as (
    select {{ figure | join(', ') }}
    from by_nights
    union
    select {{ figure | join(', ') }}
    from {{ kept(model.name) }}
    where admission_month in (select n.date from ({{ submitted }}) as n)
),
{%- endif %}

ended_and_open as (
    select
        e.{{ figure | join(',\n        e.') }},
        e.nights,
        e.stays as ended,
        0 as censored
    from {{ ref('int_stays__ended') }} as e
    where {{ is_within('e.admission_month') }}{% if adds %} and {{ is_among('touched', figure, 'e') }}{% endif %}
    union all
    select
        {{ figure | join(',\n        ') }},
        nights,
        0 as ended,
        stays as censored
    from by_nights
    {%- if adds %}
    where stays > 0
    union all
    select
        {{ figure | join(',\n        ') }},
        0 as nights,
        0 as ended,
        0 as censored
    from touched
    {%- endif %}
),

by_figure_and_nights as (
    select
        {{ figure | join(',\n        ') }},
        nights,
        sum(ended) as ended,
        sum(censored) as censored
    from ended_and_open
    group by {{ figure | join(', ') }}, nights
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
    from by_figure_and_nights as b
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

providers_with_stays as (
    select
        {{ key | join(',\n        ') }},
        org_code as provider_code
    from figures
    where org_level = 'trust' and stays > 0
    {%- if adds %}
    union all
    select
        k.{{ key | join(',\n        k.') }},
        k.org_code as provider_code
    from {{ kept(model.name) }} as k
    where k.org_level = 'trust' and not {{ is_among('touched', figure, 'k') }}
    {%- endif %}
),

{{ coverage('int_spells__expected', 'providers_with_stays', key, 'admission_month') }}

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
    {{ coverage_columns('r.orgs_reported') }}
{{ with_coverage(key, 'admission_month') }}
