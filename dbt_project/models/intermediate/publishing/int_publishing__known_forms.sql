{%- set forms = [] -%}
{%- for view, schema_name in var('organisation_views').items() -%}
{%- for mart in var('subjects') -%}
{%- do forms.append((view, schema_name, mart, mart, known_form(mart, view))) -%}
{%- do forms.append((view, schema_name, mart, mart ~ '_members', known_members(mart, view))) -%}
{%- endfor -%}
{%- endfor -%}
{%- for view, schema_name, mart, macro_name, definition in forms %}
select
    '{{ view }}' as organisation_view,
    '{{ schema_name }}' as schema_name,
    '{{ mart }}' as mart,
    '{{ macro_name }}' as macro_name,
    {{ text_literal(definition) }} as definition
{{ 'union all' if not loop.last }}
{%- endfor %}
