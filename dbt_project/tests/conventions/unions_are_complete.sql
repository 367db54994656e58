-- A staging model of figures or a model of derived metrics that its list in dbt_project.yml forgets would never
-- reach `observation`.
{%- set lists = {'figures': [], 'derived_metrics': var('derived_metrics')} -%}
{%- for feed in var('figure_feeds') -%}
{%- do lists['figures'].append('stg_' ~ feed) -%}
{%- endfor -%}
{%- set forgotten = [] -%}
{%- if execute -%}
{%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.meta.kind in lists -%}
{%- if node.name not in lists[node.config.meta.kind] -%}
{%- do forgotten.append(node.name) -%}
{%- endif -%}
{%- endfor -%}
{%- endif %}
{% for name in forgotten -%}
select '{{ name }}' as forgotten_model
{% if not loop.last %}union all{% endif %}
{% else -%}
select cast(null as {{ dbt.type_string() }}) as forgotten_model
where 1 = 0
{% endfor -%}
