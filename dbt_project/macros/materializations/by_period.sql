{#- A mart kept from night to night by day: the days that model `dirty` names (column `date`) are written anew, all others
stay. `day` says which day a row of the mart is of. Whole months are written at a time, as many as hold a million rows of
model `made_of`, so that memory stays flat.

The model's SQL is bounded by `first_day()` and `end_day()`: as it stands all of time, here one month after the other. -#}
{% materialization by_period, adapter='duckdb' %}
    {%- set dirty = kept(config.require('dirty')) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- set delta = is_delta(model.name) -%}
    {%- if delta -%}
    {%- do get_assert_columns_equivalent(sql) -%}
    {%- else -%}
    {{ create_empty(target_relation, sql) }}
    {%- endif -%}
    {{ adapter.commit() }}
    {%- set spans = 'min(date), max(date)' if delta else 'cast(date_trunc(\'month\', min(date)) as date), last_day(max(date))' -%}
    {%- set months = run_query('select ' ~ spans ~ ' from ' ~ dirty ~ ' group by date_trunc(\'month\', date) order by 1').rows -%}
    {{ write_months(target_relation, sql, months, dirty if delta) }}
    {%- if delta -%}
    {{ name_kept_organisations(target_relation) }}
    {%- endif -%}
    {%- call statement('main') -%} select {{ months | length }} as months_written {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- The table of a model, without rows. -#}
{% macro create_empty(target_relation, sql) -%}
    {%- call statement('drop') -%} drop table if exists {{ target_relation }} {%- endcall -%}
    {%- call statement('create') -%}
        {{ create_table_as(False, target_relation, 'select * from (' ~ sql ~ ') as model where 1 = 0') }}
    {%- endcall -%}
{%- endmacro %}

{#- Write the rows of months (the first and the last day of each that count), some at a time and each time in a transaction
of its own; of `dirty` days alone where given. -#}
{% macro write_months(target_relation, sql, months, dirty=none) -%}
    {%- set rows = run_query('select count(*) from ' ~ kept(config.require('made_of'))).columns[0].values()[0] -%}
    {%- set at_once = [months | length * 1000000 // [rows, 1] | max, 1] | max | int -%}
    {%- for some in months | batch(at_once) -%}
        {%- set first = some[0][0] -%}
        {%- set end = some[-1][1] + modules.datetime.timedelta(days=1) -%}
        {%- if dirty -%}
        {%- call statement('delete') -%}
            delete from {{ target_relation }}
            where
                {{ config.require('day') }} in (
                    select date from {{ dirty }} where date >= date '{{ first }}' and date < date '{{ end }}'
                )
        {%- endcall -%}
        {%- endif -%}
        {%- call statement('insert') -%}
            insert into {{ target_relation }} by name
            {{ sql | replace(first_day(), "date '" ~ first ~ "'") | replace(end_day(), "date '" ~ end ~ "'") }}
        {%- endcall -%}
        {{ adapter.commit() }}
    {%- endfor -%}
{%- endmacro %}

{#- The bounds of what a model that is kept by period works out: first day, and the day after the last. -#}
{% macro first_day() -%}
    {{ return("date '0001-01-01'") }}
{%- endmacro %}

{% macro end_day() -%}
    {{ return("date '9999-12-31'") }}
{%- endmacro %}

{#- A condition: the day is within what is worked out at a time. -#}
{% macro is_within(day) -%}
    {{ day }} >= {{ first_day() }} and {{ day }} < {{ end_day() }}
{%- endmacro %}

{#- The same, and in a night's delta a day that changed. -#}
{% macro is_written(day, name, dirty) -%}
    {{ is_within(day) }}
    {%- if is_delta(name) %}
    and {{ day }} in (select w.date from {{ dirty }} as w)
    {%- endif %}
{%- endmacro %}
