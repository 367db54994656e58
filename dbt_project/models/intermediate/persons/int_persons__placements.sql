-- Region and ICB of the trusts that ODS lists, on every day: both ends, the last one exclusive.
with listed as (
    select distinct org_code
    from {{ ref('stg_ods_trusts') }}
),

stated as (
    select
        h.org_code,
        h.attribute,
        h.value,
        h.valid_from,
        {{ or_never('h.valid_to') }} as valid_to
    from {{ ref('int_organisations__history') }} as h
    inner join listed as l
        on h.org_code = l.org_code
    where h.attribute in ('region_code', 'icb_code')
),

bounds as (
    select
        org_code,
        valid_from
    from stated
    union
    select
        org_code,
        valid_to as valid_from
    from stated
),

spans as (
    select
        org_code,
        valid_from,
        lead(valid_from) over (partition by org_code order by valid_from) as valid_to
    from bounds
)

select
    s.org_code,
    s.valid_from,
    s.valid_to,
    max(case when a.attribute = 'region_code' then a.value end) as region_code,
    max(case when a.attribute = 'icb_code' then a.value end) as icb_code
from spans as s
inner join stated as a
    on s.org_code = a.org_code and s.valid_from >= a.valid_from and s.valid_from < a.valid_to
where s.valid_to is not null
group by s.org_code, s.valid_from, s.valid_to
