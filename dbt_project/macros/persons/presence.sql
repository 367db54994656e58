{#- Until when somebody is in the department: departure, or where it is missing a day after arrival, then unknown. -#}
{% macro present_until(alias) -%}
    coalesce({{ alias }}.ec_departure_at, {{ later(alias ~ '.arrival_at', 24, 'hour') }})
{%- endmacro %}

{#- The decision to admit where it is valid: not before arrival, not after departure. -#}
{% macro valid_decision(alias) -%}
    case
        when
            {{ alias }}.ec_decision_to_admit_at >= {{ alias }}.arrival_at
            and {{ alias }}.ec_decision_to_admit_at <= coalesce({{ alias }}.ec_departure_at, {{ alias }}.ec_decision_to_admit_at)
            then {{ alias }}.ec_decision_to_admit_at
    end
{%- endmacro %}

{#- Minutes from arrival to a moment in the department where it is valid: within a day. -#}
{% macro valid_minutes(alias, moment) -%}
    case
        when
            {{ alias }}.{{ moment }} >= {{ alias }}.arrival_at
            and {{ alias }}.{{ moment }} <= {{ later(alias ~ '.arrival_at', 24, 'hour') }}
            then cast({{ minutes_between(alias ~ '.arrival_at', alias ~ '.' ~ moment) }} as smallint)
    end
{%- endmacro %}
