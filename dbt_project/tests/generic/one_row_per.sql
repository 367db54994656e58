{#- The grain of a model: no two rows with the same key, and no key column empty unless it may be. -#}
{% test one_row_per(model, columns, may_be_null=[]) %}
select
    {{ columns | join(', ') }},
    count(*) as rows_found
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns if column not in may_be_null %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
