{#- What every feed of figures keeps: a cell stands once, is a figure or a printed total, has a value exactly when its state
says so, and is a base metric of the feed. One test, for each costs the nightly run a query and an asset check. -#}
{% test figures_of_a_feed(model, feed) %}
{%- set key = ['batch', 'record', 'metric_id', 'org_code', 'region_code', 'period_start', 'period_end'] %}
select
    'stands twice, or lacks a part of its key' as broken,
    metric_id
from {{ model }}
group by {{ key | join(', ') }}
having
    count(*) > 1
    {%- for column in key if column not in ('org_code', 'region_code') %}
    or {{ column }} is null
    {%- endfor %}
union all
select distinct
    'neither a figure nor a printed total' as broken,
    metric_id
from {{ model }}
where record is null or record not in ('provider', 'published_nation', 'published_region')
union all
select distinct
    'value and state disagree' as broken,
    metric_id
from {{ model }}
where {{ state_is_broken() }}
union all
select distinct
    'not a base metric of the feed' as broken,
    m.metric_id
from {{ model }} as m
left join {{ ref('metrics') }} as r
    on m.metric_id = r.metric_id and r.feed = '{{ feed }}' and r.is_base
where r.metric_id is null
{% endtest %}
