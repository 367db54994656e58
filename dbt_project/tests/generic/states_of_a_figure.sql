{#- A figure has a value exactly when it was reported, for good or for now; only what is not for good has a reason. -#}
{% test states_of_a_figure(model) %}
select
    metric_id,
    status,
    count(*) as rows_found
from {{ model }}
where {{ state_is_broken() }}
group by metric_id, status
{% endtest %}
