{#- What every subject mart keeps: its grain, a name for everybody, and no other organisation view, level or state than
there is. One test, for each costs the nightly run a query and an asset check. -#}
{% test rows_of_a_subject(model, grain) %}
select
    {{ grain | join(', ') }},
    count(*) as rows_found
from {{ model }}
group by {{ grain | join(', ') }}
having
    count(*) > 1
    {%- for column in grain %}
    or {{ column }} is null
    {%- endfor %}
    or count(org_name) < count(*)
    or bool_or(organisation_view not in ('{{ var('organisation_views') | join("', '") }}'))
    or bool_or(org_level is null or org_level not in ('nation', 'region', 'icb', 'trust', 'site', 'gp_practice', 'other'))
    or bool_or(status is null or status not in ('{{ states() | join("', '") }}', 'not_apportionable'))
{% endtest %}
