{#- A figure has a value exactly when it was reported. -#}
{% test states_of_a_figure(model) %}
select
    metric_id,
    status,
    count(*) as rows_found
from {{ model }}
where
    status is null
    or status not in ('reported', 'not_reported')
    or (status = 'reported') <> (value is not null)
    or (status = 'reported' and status_reason is not null)
group by metric_id, status
{% endtest %}
