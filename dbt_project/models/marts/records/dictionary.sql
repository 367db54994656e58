{#- The dictionary repeats what the YAML beside the marts says: one definition, read when the model runs. -#}
{%- set entries = [] -%}
{%- if execute -%}
{%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | sort(attribute='name') -%}
{%- if node.schema == 'marts' -%}
{%- do entries.append((node.name, '', '', node.description, node.config.meta.tier)) -%}
{%- for column in node.columns.values() -%}
{%- do entries.append(
    (node.name, column.name, published_type(column.data_type), column.description, node.config.meta.tier)
) -%}
{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- for entry in entries %}
select
    {%- for name in ['table_name', 'column_name', 'data_type', 'description', 'tier'] %}
    {{ text_literal(entry[loop.index0] | trim) }} as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{{ 'union all' if not loop.last }}
{%- else %}
select
    {%- for name in ['table_name', 'column_name', 'data_type', 'description', 'tier'] %}
    cast(null as {{ dbt.type_string() }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
where 1 = 0
{%- endfor %}
