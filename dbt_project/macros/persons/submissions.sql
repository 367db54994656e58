{#- Who submitted to a feed on which day, superseded versions and deletions too, as the body of a model kept by batch. -#}
{% macro submissions(feed, name) -%}
{%- set batches = ref('stg_batches') -%}
select distinct
    batch,
    provider_code,
    submission_date
from {{ ref('stg_' ~ feed) }}
{%- set is_new = is_new_to(name, feed) if is_delta(name) else none %}
{%- if is_new %}
where {{ is_new }}
{%- endif %}
{%- endmacro %}

{#- The horizon of a feed: the last day of submission (horizon_date), and midnight at its end (horizon_at). No row before
anything was submitted. -#}
{% macro horizon(submissions) -%}
select
    d.date - 1 as horizon_date,
    d.starts_at as horizon_at
from (select max(submission_date) as horizon_date from {{ ref(submissions) }}) as s
inner join {{ ref('int_clock__days') }} as d
    on s.horizon_date + 1 = d.date
{%- endmacro %}

{#- Days, and the providers expected on them: those that submitted in the 28 days up to it, with their region and ICB. -#}
{% macro expected_providers(submissions) -%}
select distinct
    d.date,
    s.provider_code,
    p.region_code,
    p.icb_code
from (select distinct provider_code, submission_date from {{ ref(submissions) }}) as s
inner join {{ ref('int_clock__days') }} as d
    on d.date >= s.submission_date and d.date < s.submission_date + 28
left join {{ ref('int_persons__placements') }} as p
    on
        s.provider_code = p.org_code
        and cast(d.date as timestamp) >= p.valid_from
        and cast(d.date as timestamp) < p.valid_to
{%- endmacro %}
