{#- The states of a figure from weakest to strongest: of several figures together, the strongest says what is known of
the whole. The last two have a value. -#}
{% macro states() -%}
    {{ return(['not_reported', 'not_collected', 'suppressed', 'reported', 'provisional']) }}
{%- endmacro %}

{#- The place of a status in that order, from 1; null for no status. -#}
{% macro state_rank(status) -%}
    case {{ status }}
        {%- for state in states() %} when '{{ state }}' then {{ loop.index }}{% endfor %}
    end
{%- endmacro %}

{#- The status at a place in that order; not_reported when nothing is known. -#}
{% macro state_name(rank) -%}
    case {{ rank }}
        {%- for state in states()[1:] %} when {{ loop.index + 1 }} then '{{ state }}'{% endfor %} else 'not_reported'
    end
{%- endmacro %}

{#- The place from which a figure has been returned, shown or not; and the place from which it has a value. -#}
{% macro rank_of_suppressed() -%}
    {{ return(states().index('suppressed') + 1) }}
{%- endmacro %}

{% macro rank_of_reported() -%}
    {{ return(states().index('reported') + 1) }}
{%- endmacro %}

{#- Of the parts p of a figure: the strongest state of all, and of those without a value. -#}
{% macro strongest_state(condition='true') -%}
    max(case when {{ condition }} then {{ state_rank('p.status') }} end)
{%- endmacro %}

{% macro strongest_gap(condition='true') -%}
    max(case when {{ condition }} and p.value is null then {{ state_rank('p.status') }} end)
{%- endmacro %}

{#- The status of a figure made of parts: provisional if a part of a known value is, else the strongest state of what it
lacks. -#}
{% macro state_of_whole(value, strongest, gap) -%}
    {{ state_name('case when ' ~ value ~ ' is not null then ' ~ strongest ~ ' else ' ~ gap ~ ' end') }}
{%- endmacro %}

{#- Whether a figure's state is none, or contradicts its value or its reason: only what is not reported for good has one. -#}
{% macro state_is_broken() -%}
    status is null
    or status not in ('{{ states() | join("', '") }}')
    or (status in ('reported', 'provisional')) <> (value is not null)
    or (status = 'reported' and status_reason is not null)
{%- endmacro %}
