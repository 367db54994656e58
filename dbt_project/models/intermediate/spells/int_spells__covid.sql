-- What positive specimens say of the spells of their persons. In a night's delta of touched persons alone.
with specimens as (
    select distinct
        person_pseudonym,
        specimen_date
    from {{ ref('int_persons__tests') }}
    where not is_deletion and test_result = 'positive' and person_pseudonym is not null
),

spells as (
    select
        l.record_key,
        l.person_pseudonym,
        l.admission_date,
        l.patient_classification = '1' and coalesce(j.is_stay_start, true) as is_stay_start,
        coalesce(j.place, 1) as place,
        coalesce(j.stay_admission_date, l.admission_date) as stay_admission_date,
        case when j.record_key is null then l.discharge_date else j.stay_discharge_date end as stay_discharge_date
    {{ counted_spells(
        joins='left join ' ~ ref('int_spells__joined') ~ ' as j on l.record_key = j.record_key',
        conditions=['l.person_pseudonym in (select s.person_pseudonym from specimens as s)']
    ) }}
),

tested as (
    select
        s.record_key,
        min(case when p.specimen_date >= s.stay_admission_date - 14 then p.specimen_date end) as covid_from_date,
        bool_or(p.specimen_date between s.admission_date - 14 and s.admission_date) as is_tested_before_admission
    from spells as s
    inner join specimens as p
        on s.person_pseudonym = p.person_pseudonym
    group by s.record_key
),

resident as (
    select distinct s.record_key
    from spells as s
    inner join {{ ref('int_persons__residencies') }} as r
        on
            s.person_pseudonym = r.person_pseudonym
            and not r.is_deletion
            and s.admission_date >= r.residency_start_date
            and s.admission_date < coalesce(r.residency_end_date, date '9999-12-31')
),

first_specimens as (
    select
        person_pseudonym,
        min(specimen_date) as specimen_date
    from specimens
    group by person_pseudonym
),

-- One class a person: a stay that the first specimen fell in, the earlier of two; else the first begun in the 14 days after.
linked as (
    select
        s.record_key,
        f.specimen_date - s.stay_admission_date as day,
        greatest(f.specimen_date, s.stay_admission_date) as hcai_date,
        row_number() over (
            partition by s.person_pseudonym
            order by case when s.stay_admission_date <= f.specimen_date then 0 else 1 end, s.place
        ) as choice
    from spells as s
    inner join first_specimens as f
        on s.person_pseudonym = f.person_pseudonym
    where
        s.is_stay_start
        and s.stay_admission_date <= f.specimen_date + 14
        and (s.stay_discharge_date is null or s.stay_discharge_date >= f.specimen_date)
)

select
    t.record_key,
    t.covid_from_date,
    t.is_tested_before_admission,
    r.record_key is not null as is_from_care_home,
    k.hcai_date,
    case
        when k.day <= 2 then 'community_onset'
        when k.day <= 7 then 'indeterminate'
        when k.day <= 14 then 'probable'
        when k.day > 14 then 'definite'
    end as hcai_class
from tested as t
left join resident as r
    on t.record_key = r.record_key
left join linked as k
    on t.record_key = k.record_key and k.choice = 1
