{#- No two rows of one key hold on the same day: valid_from inclusive, valid_to exclusive, null while it holds. -#}
{% test one_at_a_time(model, columns) %}
with ordered as (
    select
        {{ columns | join(', ') }},
        valid_from,
        valid_to,
        lead(valid_from) over (partition by {{ columns | join(', ') }} order by valid_from nulls first) as next_from
    from {{ model }}
)

select *
from ordered
where valid_to <= valid_from or next_from < coalesce(valid_to, next_from + interval '1' day)
{% endtest %}
