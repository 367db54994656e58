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
{%- for entry in entries %}
select
    {%- for name in names %}
    {%- set said = entry[loop.index0] %}
    {{ text_literal(said | trim) if said is string else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{{ 'union all' if not loop.last }}
{%- else %}
select
    {%- for name in names %}
    cast(null as {{ dbt.type_string() }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
where 1 = 0
{%- endfor %}
