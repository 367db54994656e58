{%- set attributes = ['org_name', 'open_date', 'close_date', 'trust_code', 'icb_code', 'region_code'] -%}
with attributes as (
    select
        org_code,
        {%- for attribute in attributes %}
        max(case when attribute = '{{ attribute }}' then value end) as {{ attribute }}{%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('int_organisations__history') }}
    where valid_to is null
    group by org_code
),

-- An organisation that no list knows has the name and region of its own returns, else its code for a name.
providers as (
    select
        l.org_code,
        l.org_level,
        coalesce(a.org_name, r.org_name, l.org_code) as org_name,
        cast(a.open_date as date) as open_date,
        cast(a.close_date as date) as close_date,
        case when l.org_level = 'trust' then l.org_code else a.trust_code end as trust_code,
        a.icb_code,
        case
            when l.is_listed and l.org_level <> 'site' then a.region_code
            else coalesce(a.region_code, r.region_code)
        end as region_code
    from {{ ref('int_organisations__levels') }} as l
    left join attributes as a
        on l.org_code = a.org_code
    left join {{ ref('int_organisations__reported') }} as r
        on l.org_code = r.org_code
),

icbs as (
    select
        icb_code,
        region_code,
        icb_name,
        valid_to,
        min(valid_from) over (partition by icb_code) as first_day,
        row_number() over (partition by icb_code order by valid_from desc nulls last) as place
    from {{ ref('icbs') }}
)

select
    org_code,
    org_level,
    org_name,
    open_date,
    close_date,
    trust_code,
    icb_code,
    region_code
from providers

union all

select
    icb_code as org_code,
    'icb' as org_level,
    icb_name as org_name,
    first_day as open_date,
    valid_to as close_date,
    cast(null as {{ dbt.type_string() }}) as trust_code,
    icb_code,
    region_code
from icbs
where place = 1

union all

select
    region_code as org_code,
    'region' as org_level,
    region_name as org_name,
    valid_from as open_date,
    valid_to as close_date,
    cast(null as {{ dbt.type_string() }}) as trust_code,
    cast(null as {{ dbt.type_string() }}) as icb_code,
    region_code
from {{ ref('regions') }}

union all

select
    '{{ var('nation') }}' as org_code,
    'nation' as org_level,
    'England' as org_name,
    cast(null as date) as open_date,
    cast(null as date) as close_date,
    cast(null as {{ dbt.type_string() }}) as trust_code,
    cast(null as {{ dbt.type_string() }}) as icb_code,
    cast(null as {{ dbt.type_string() }}) as region_code
