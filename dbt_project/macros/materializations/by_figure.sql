{#- A table of figures kept from night to night by adding up what changed: those that the changes of the models in
`changes_of` touch are replaced, all others stay. `figure` is the key of a row; `present` says which rows there are, since
one of which nothing is left goes. What it has taken in is noted last, and what is not noted is not known: a night that
was stopped, or changes that were missed, make it begin anew.

The model's SQL gives the touched figures as they are now, those too that go (`adds_changes`), or all figures, then whole
months at a time as `by_period` does, those of `days` (the first day and the last of a row of model `made_of`, beside the
horizon of spells). -#}
{% materialization by_figure, adapter='duckdb' %}
    {%- set sources = config.require('changes_of') -%}
    {%- set figure = config.require('figure') -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set new = model.name ~ '__new' -%}
    {{ run_hooks(pre_hooks) }}
    {%- set adds = adds_changes(sources) -%}
    {%- set noted = "where model_name = '" ~ model.name ~ "'" -%}
    {%- call statement('forget') -%}
        {%- if adds -%}
        update {{ state_table('figures') }} set until = null {{ noted }}
        {%- else -%}
        delete from {{ state_table('figures') }} {{ noted }}
        {%- endif -%}
    {%- endcall -%}
    {{ adapter.commit() }}
    {%- if adds -%}
        {%- if config.get('contract').enforced -%}
        {%- do get_assert_columns_equivalent(sql) -%}
        {%- endif -%}
        {%- call statement('new') -%} create or replace temporary table {{ new }} as ({{ sql }}) {%- endcall -%}
        {%- call statement('delete') -%}
            delete from {{ target_relation }} as k where {{ is_among(new, figure, 'k') }}
        {%- endcall -%}
        {%- call statement('main') -%}
            insert into {{ target_relation }} by name select * from {{ new }} where {{ config.require('present') }}
        {%- endcall -%}
        {%- call statement('drop') -%} drop table {{ new }} {%- endcall -%}
        {{ name_kept_organisations(target_relation) }}
    {%- else -%}
        {%- set first, last = config.require('days') -%}
        {%- set months = run_query(
            'select m, last_day(m) from (select cast(unnest(generate_series(date_trunc(\'month\', first_day), last_day, '
            ~ 'interval 1 month)) as date) as m from (select min(' ~ first ~ ') as first_day, max(' ~ last
            ~ ') as last_day from ' ~ kept(config.require('made_of')) ~ ' cross join ' ~ kept('int_spells__horizon') ~ '))'
        ).rows -%}
        {{ create_empty(target_relation, sql) }}
        {{ write_months(target_relation, sql, months) }}
        {%- call statement('main') -%} select {{ months | length }} as months_written {%- endcall -%}
    {%- endif -%}
    {{ adapter.commit() }}
    {%- set until = '(select max(until) from ' ~ state_table('changes') ~ " where model_name in ('" ~ sources | join("', '") ~ "'))" -%}
    {%- call statement('note') -%}
        {%- if adds -%}
        update {{ state_table('figures') }} set until = {{ until }} {{ noted }}
        {%- else -%}
        insert into {{ state_table('figures') }}
        select '{{ model.name }}', max(run), {{ until }} from {{ state_table('runs') }}
        {%- endif -%}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
