-- What reading rejected, and what is left out because persons opted out where opt-outs apply: counts by batch.
{%- set opted_out = {
    'ecds_attendances': 'int_ae__attendances',
    'apc_spells': 'int_spells__latest',
    'covid_tests': 'int_persons__tests',
    'gp_registrations': 'int_persons__registrations',
    'care_home_residents': 'int_persons__residencies'
} %}
select
    feed,
    batch,
    reason_code,
    rejected_rows
from {{ ref('stg_rejected_rows') }}
{%- for feed, records in opted_out.items() %}
union all
select
    '{{ feed }}' as feed,
    r.batch,
    'opted_out' as reason_code,
    count(*) as rejected_rows
from {{ ref(records) }} as r
inner join {{ ref('int_persons__opted_out') }} as o
    on r.person_pseudonym = o.person_pseudonym
where not r.is_deletion
group by r.batch
{%- endfor %}
