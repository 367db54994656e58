{#- Every metric that a model carries stands in the registry; of one feed, if the test names it. -#}
{% test registered_metric(model, column_name, feed=none) %}
select distinct m.{{ column_name }}
from {{ model }} as m
left join {{ ref('metrics') }} as r
    on m.{{ column_name }} = r.metric_id
    {%- if feed %} and r.feed = '{{ feed }}' and r.is_base{% endif %}
where r.metric_id is null
{% endtest %}
