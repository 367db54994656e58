{#- Continuous stays of persons with several ordinary spells: to which stay each spell belongs. All others are a stay of
their own. In a night's delta of touched persons alone. -#}
{%- set transfers = "'49', '50', '51', '52', '53', '84', '87'" -%}
with ordinary as (
    select
        l.record_key,
        l.person_key,
        l.provider_code,
        l.admission_at,
        l.admission_date,
        l.admission_method,
        l.source_of_admission,
        l.discharge_at,
        l.discharge_date,
        l.discharge_destination,
        l.is_covid_diagnosed,
        count(*) over (partition by l.person_key) as spells
    {{ counted_spells(conditions=["l.patient_classification = '1'", 'l.person_pseudonym is not null']) }}
),

ordered as (
    select
        b.record_key,
        b.person_key,
        b.provider_code,
        b.admission_at,
        b.admission_date,
        b.admission_method,
        b.source_of_admission,
        b.discharge_date,
        b.discharge_destination,
        coalesce(b.is_covid_diagnosed, false) as is_covid_diagnosed,
        {{ or_never('b.discharge_at') }} as ends_at,
        row_number() over (
            partition by b.person_key
            order by
                b.admission_at, b.discharge_at nulls last, b.provider_code, o.ordinal nulls last, b.record_key
        ) as place
    from ordinary as b
    left join {{ ref('stg_sent_order') }} as o
        on b.record_key = o.record_key
    where b.spells > 1
),

-- The spell that ends last so far; of those that end together the later. All earlier stays of the person have ended
-- by then, so the last end of the running stay is the last end of all.
reached as (
    select
        o.*,
        max(o.ends_at) over (
            partition by o.person_key order by o.place rows between unbounded preceding and 1 preceding
        ) as reached_before
    from ordered as o
),

preceded as (
    select
        r.*,
        max(case when r.reached_before is null or r.ends_at >= r.reached_before then r.place end) over (
            partition by r.person_key order by r.place rows between unbounded preceding and 1 preceding
        ) as last_place
    from reached as r
),

compared as (
    select
        s.record_key,
        s.person_key,
        s.admission_at,
        s.admission_date,
        s.discharge_date,
        s.is_covid_diagnosed,
        s.place,
        coalesce(s.admission_at < p.ends_at, false) as is_overlap,
        coalesce(
            s.admission_date = p.discharge_date
            and (
                p.discharge_destination in ({{ transfers }})
                or s.admission_method in ('2B', '81')
                or s.source_of_admission in ({{ transfers }})
            ),
            false
        ) as is_transfer,
        coalesce(
            u.successor_code is not null
            and (p.discharge_date = s.admission_date or p.discharge_date = s.admission_date - 1),
            false
        ) as is_merger
    from preceded as s
    left join preceded as p
        on s.person_key = p.person_key and s.last_place = p.place
    left join {{ ref('int_organisations__successions') }} as u
        on
            p.provider_code = u.org_code
            and s.provider_code = u.successor_code
            and s.admission_date = u.effective_date
),

numbered as (
    select
        c.*,
        sum(case when c.is_overlap or c.is_transfer or c.is_merger then 0 else 1 end) over (
            partition by c.person_key order by c.place rows between unbounded preceding and current row
        ) as stay_number
    from compared as c
),

cared_for as (
    select distinct spell_key
    from {{ ref('int_critical_care__periods') }}
    where not is_deletion
)

select
    n.record_key,
    n.place,
    n.is_overlap,
    n.is_merger and not n.is_overlap as is_merger_continuation,
    row_number() over (partition by n.person_key, n.stay_number order by n.place) = 1 as is_stay_start,
    min(n.admission_at) over (partition by n.person_key, n.stay_number) as stay_admission_at,
    min(n.admission_date) over (partition by n.person_key, n.stay_number) as stay_admission_date,
    case
        when
            count(n.discharge_date) over (partition by n.person_key, n.stay_number)
            = count(*) over (partition by n.person_key, n.stay_number)
            then max(n.discharge_date) over (partition by n.person_key, n.stay_number)
    end as stay_discharge_date,
    bool_or(n.is_covid_diagnosed) over (partition by n.person_key, n.stay_number) as stay_is_covid_diagnosed,
    bool_or(c.spell_key is not null) over (partition by n.person_key, n.stay_number) as stay_has_critical_care
from numbered as n
left join cared_for as c
    on n.record_key = c.spell_key
