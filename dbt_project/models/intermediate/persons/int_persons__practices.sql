{{ config(materialized='by_key', key='person_pseudonym', touched='int_persons__reregistered') }}
{#- Of registrations that overlap, the one with the latest start counts, of equal starts the greatest practice code. Days
between two ends or starts have one answer, so that nobody who looks a day up has to choose again. -#}
with registrations as (
    select
        person_pseudonym,
        gp_practice_code as practice_code,
        registration_start_date as valid_from,
        registration_end_date as valid_to
    from {{ ref('int_persons__registrations') }}
    where
        not is_deletion
        and (registration_end_date is null or registration_end_date > registration_start_date)
        and {{ is_touched('person_pseudonym', 'int_persons__practices', ref('int_persons__reregistered')) }}
),

several as (
    select person_pseudonym
    from registrations
    group by person_pseudonym
    having count(*) > 1
),

contested as (
    select *
    from registrations
    where person_pseudonym in (select s.person_pseudonym from several as s)
),

bounds as (
    select
        person_pseudonym,
        valid_from
    from contested
    union
    select
        person_pseudonym,
        valid_to as valid_from
    from contested
    where valid_to is not null
),

spans as (
    select
        person_pseudonym,
        valid_from,
        lead(valid_from) over (partition by person_pseudonym order by valid_from) as valid_to
    from bounds
),

ranked as (
    select
        s.person_pseudonym,
        c.practice_code,
        s.valid_from,
        s.valid_to,
        row_number() over (
            partition by s.person_pseudonym, s.valid_from order by c.valid_from desc, c.practice_code desc
        ) as place
    from spans as s
    inner join contested as c
        on
            s.person_pseudonym = c.person_pseudonym
            and s.valid_from >= c.valid_from
            and s.valid_from < coalesce(c.valid_to, date '9999-12-31')
)

select
    person_pseudonym,
    practice_code,
    valid_from,
    valid_to
from ranked
where place = 1
union all
select
    person_pseudonym,
    practice_code,
    valid_from,
    valid_to
from registrations
where person_pseudonym not in (select s.person_pseudonym from several as s)
