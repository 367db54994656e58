{#- A table kept from night to night by a key: rows of touched keys are worked out again, all others stay.

The model's SQL gives the rows of the touched keys (`is_delta`), or all rows. Touched are the keys of its own answer and,
where rows can vanish, those of model `touched`. What differs between old and new rows goes to `<model>__changes`; columns
in `unversioned` do not count as a difference. All of it, and the notes of the changes and of the batches of `feed` that
were taken in, is one transaction. -#}
{% materialization by_key, adapter='duckdb' %}
    {%- set key = config.require('key') -%}
    {%- set feed = config.get('feed') -%}
    {%- set touched = config.get('touched') -%}
    {%- set unversioned = config.get('unversioned', []) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set changes = this.incorporate(path={'identifier': this.identifier ~ '__changes'}, type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- set is_delta_now = is_delta(model.name) -%}
    {%- if not is_delta_now -%}
        {%- do run_query('drop view if exists ' ~ target_relation) if load_cached_relation(this) is not none and load_cached_relation(this).type == 'view' -%}
        {%- call statement('drop') -%} drop table if exists {{ changes }} {%- endcall -%}
        {%- call statement('drop_target') -%} drop table if exists {{ target_relation }} {%- endcall -%}
        {%- call statement('main') -%} create table {{ target_relation }} as ({{ sql }}) {%- endcall -%}
        {%- call statement('changes') -%}
            create table {{ changes }} as select *, true as is_new from {{ target_relation }} where false
        {%- endcall -%}
        {%- if feed -%}
        {%- call statement('forget') -%}
            delete from {{ state_table('applied_batches') }} where model_name = '{{ model.name }}'
        {%- endcall -%}
        {%- endif -%}
    {%- else -%}
        {%- set columns = adapter.get_columns_in_relation(target_relation) | map(attribute='name') | list -%}
        {%- set compared = columns | reject('in', unversioned) | list -%}
        {%- call statement('new') -%} create or replace temporary table {{ model.name }}__new as ({{ sql }}) {%- endcall -%}
        {%- call statement('keys') -%}
            create or replace temporary table {{ model.name }}__keys as
            select {{ key }} from {{ model.name }}__new
            {%- if touched %}
            union
            select {{ key }} from {{ kept(touched) }}
            {%- endif %}
        {%- endcall -%}
        {%- call statement('old') -%}
            create or replace temporary table {{ model.name }}__old as
            select * from {{ target_relation }} where {{ key }} in (select {{ key }} from {{ model.name }}__keys)
        {%- endcall -%}
        {%- if not makes_up() -%}
        {%- call statement('clear') -%} delete from {{ changes }} {%- endcall -%}
        {%- endif -%}
        {%- for side, other, is_new in [('old', 'new', 'false'), ('new', 'old', 'true')] -%}
        {%- call statement('changes_' ~ side) -%}
            insert into {{ changes }} by name
            select a.*, {{ is_new }} as is_new
            from {{ model.name }}__{{ side }} as a
            where
                not exists (
                    select 1
                    from {{ model.name }}__{{ other }} as b
                    where
                        {%- for column in compared %}
                        {{ 'and ' if not loop.first }}
                        {%- if column == key %}a.{{ key }} = b.{{ key }}{% else %}a.{{ column }} is not distinct from b.{{ column }}{% endif %}
                        {%- endfor %}
                )
        {%- endcall -%}
        {%- endfor -%}
        {%- call statement('delete') -%}
            delete from {{ target_relation }} where {{ key }} in (select {{ key }} from {{ model.name }}__keys)
        {%- endcall -%}
        {%- call statement('main') -%}
            insert into {{ target_relation }} by name select * from {{ model.name }}__new
        {%- endcall -%}
        {%- for part in ['new', 'keys', 'old'] -%}
        {%- call statement('drop_' ~ part) -%} drop table {{ model.name }}__{{ part }} {%- endcall -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set noted = state_table('changes') ~ ' where model_name = \'' ~ model.name ~ '\'' -%}
    {%- set run = '(select max(run) from ' ~ state_table('runs') ~ ')' -%}
    {%- if not is_delta_now -%}
    {%- call statement('forget_changes') -%} delete from {{ noted }} {%- endcall -%}
    {%- call statement('note_changes') -%}
        insert into {{ state_table('changes') }} select '{{ model.name }}', {{ run }}, {{ run }}
    {%- endcall -%}
    {%- else -%}
    {%- call statement('note_changes') -%}
        update {{ state_table('changes') }} set
            since = {{ 'since' if makes_up() else 'until' }},
            until = {{ run }}
        where model_name = '{{ model.name }}'
    {%- endcall -%}
    {%- endif -%}
    {%- if feed -%}
    {%- call statement('applied') -%}
        insert into {{ state_table('applied_batches') }}
        select '{{ model.name }}', batch from {{ ref('stg_batches') }}
        where
            feed = '{{ feed }}'
            and verdict = 'accepted'
            and batch not in (select batch from {{ state_table('applied_batches') }} where model_name = '{{ model.name }}')
    {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
