{#- The dictionary repeats what the YAML beside the marts says: one definition, read when the model runs. What the
YAML leaves out is null here, and a test of this mart then stops the build. A model under another mart's name adds rows
to it. Publishing splits the subject marts by organisation view, so what is published has no column of that name. -#}
{%- set names = ['table_name', 'column_name', 'data_type', 'description', 'unit', 'states', 'disclosure_class', 'tier'] -%}
{%- set entries = [] -%}
{%- if execute -%}
{%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | sort(attribute='name') -%}
{%- if node.schema == 'marts' and node.alias == node.name -%}
{%- set tier = node.config.meta.tier -%}
{%- do entries.append((node.name, '', '', node.description, '', '', '', tier)) -%}
{%- for column in node.columns.values()
    if not (node.name in var('subjects') and column.name == 'organisation_view') -%}
{%- set meta = column.config.meta -%}
{%- do entries.append((
    node.name, column.name, published_type(column.data_type), column.description,
    meta.unit, meta.states, meta.disclosure, tier
)) -%}
{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- set literals = {} -%}
{%- for said in entries | sum(start=()) | unique(case_sensitive=true) if said is string -%}
{%- do literals.update({said: text_literal(said | trim)}) -%}
{%- endfor -%}
{%- set nothing = 'cast(null as ' ~ dbt.type_string() ~ ')' -%}
select {{ names | join(', ') }}
from (
    values
    {%- for entry in entries or [[none] * names | length] %}
    (
        {%- for said in entry -%}
        {{ literals[said] if said is string else nothing }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    ){{ ',' if not loop.last }}
    {%- endfor %}
) as entries ({{ names | join(', ') }})
where table_name is not null
