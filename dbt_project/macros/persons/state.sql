{#- Person-level models are kept from night to night. What is here says what a model has, and what a night brings.

Builds are numbered. A model that is kept by key notes from which build to which its changes lead (`state.changes`), one
that adds changes up notes in which build it began and until which it has them (`state.figures`): it adds those that follow,
or begins anew.

A model is worked out whole when it does not exist or `--full-refresh` asks for it, else only what changed is. The
changes of a run stay in `<model>__changes` until a run has ended well, so that a run that was killed is made up for by the
next one: changed keys are worked out from what is there now, and doing it twice gives the same. -#}

{#- The relation of a model of that name as an earlier run left it, or none. No dependency: it is what was before. -#}
{% macro kept(name) -%}
    {%- set nodes = graph.nodes.values() | selectattr('name', 'equalto', name) | selectattr('resource_type', 'equalto', 'model') | list -%}
    {{ return(adapter.get_relation(database=nodes[0].database, schema=nodes[0].schema, identifier=nodes[0].alias)) }}
{%- endmacro %}

{#- Whether only what changed is worked out. -#}
{% macro is_delta(name) -%}
    {%- if not execute or flags.FULL_REFRESH -%}
    {{ return(false) }}
    {%- endif -%}
    {{ return(kept(name) is not none) }}
{%- endmacro %}

{#- What changed of a model that is kept by key: its rows as they were (is_new false) and as they are (is_new true). -#}
{% macro changes_of(name) -%}
    {%- set relation = ref(name) -%}
    {{ return(api.Relation.create(database=relation.database, schema=relation.schema, identifier=relation.identifier ~ '__changes')) }}
{%- endmacro %}

{#- The store's own notes: which batches a model has taken in, and whether the last run ended well. -#}
{% macro state_table(name) -%}
    {{ return(api.Relation.create(database=target.database, schema='state', identifier=name)) }}
{%- endmacro %}

{#- Before a run: open its note. A note that is still open is that of a run that was stopped: this one makes up for it. -#}
{% macro begin_run() -%}
    {%- if execute and flags.WHICH == 'build' -%}
    {%- set schema = state_table('runs').without_identifier() %}
    {%- if flags.FULL_REFRESH %}
    drop schema if exists {{ schema }} cascade;
    {%- endif %}
    create schema if not exists {{ schema }};
    create table if not exists {{ state_table('applied_batches') }} (model_name varchar, batch varchar);
    create table if not exists {{ state_table('changes') }} (model_name varchar, since bigint, until bigint);
    create table if not exists {{ state_table('figures') }} (model_name varchar, begun bigint, until bigint);
    create table if not exists {{ state_table('runs') }} (run bigint, makes_up boolean, is_complete boolean);
    create or replace table {{ state_table('runs') }} as
    select
        coalesce(max(run), 0) + 1 as run,
        coalesce(bool_or(not is_complete), false) as makes_up,
        false as is_complete
    from {{ state_table('runs') }};
    {%- endif -%}
{%- endmacro %}

{#- After a run: it ended well when nothing of it failed or was left out. -#}
{% macro end_run(results) -%}
    {%- if execute and flags.WHICH == 'build' -%}
    {%- set broken = results | selectattr('status', 'in', ['error', 'fail', 'skipped', 'runtime error']) | list -%}
    {%- if not broken -%}
    update {{ state_table('runs') }} set is_complete = true
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Whether this run makes up for one that was stopped. -#}
{% macro makes_up() -%}
    {{ return(run_query('select bool_or(makes_up) from ' ~ state_table('runs')).columns[0].values()[0]) }}
{%- endmacro %}

{#- Whether this model has all but the changes that its sources, models kept by key, hold of now: then it adds those up. -#}
{% macro adds_changes(sources) -%}
    {%- if not is_delta(model.name) -%}
    {{ return(false) }}
    {%- endif -%}
    {%- set found = run_query(
        'select count(*) from ' ~ state_table('figures') ~ ' as f inner join ' ~ state_table('changes')
        ~ ' as c on f.until = c.since where f.model_name = \'' ~ model.name ~ '\' and c.model_name in (\''
        ~ sources | join('\', \'') ~ '\')'
    ) -%}
    {{ return(found.columns[0].values()[0] == sources | length) }}
{%- endmacro %}

{#- A query of this model's rows as they are, where changes are added to them. -#}
{% macro all_kept(adds) -%}
    {{ return('select * from ' ~ kept(model.name) if adds else none) }}
{%- endmacro %}

{#- How often a row counts: once, and where changes are added up, less by one for each that was. -#}
{% macro weight_of(alias, adds) -%}
    {{ return('case when ' ~ alias ~ '.is_new then 1 else -1 end' if adds else '1') }}
{%- endmacro %}

{#- The accepted batches of a feed that a model has not taken in. -#}
{% macro new_batches(feed, name) -%}
    {%- set batches = ref('stg_batches') -%}
    {%- if not execute -%}
    {{ return([]) }}
    {%- endif -%}
    {%- set found = run_query(
        "select batch from " ~ batches ~ " where feed = '" ~ feed ~ "' and verdict = 'accepted' and batch not in (select batch from "
        ~ state_table('applied_batches') ~ " where model_name = '" ~ name ~ "') order by batch"
    ) -%}
    {{ return(found.columns[0].values() | list) }}
{%- endmacro %}

{#- A condition on rows of a staging view: those of the batches that a model has not taken in. Named by file, so that
no other file is opened. -#}
{% macro is_new_to(name, feed) -%}
    {%- set batches = new_batches(feed, name) -%}
    {%- if batches -%}
    {%- set folder = run_query("select getvariable('accepted')").columns[0].values()[0] ~ '/' ~ feed ~ '/' -%}
    accepted_file in ({% for batch in batches %}'{{ folder ~ batch }}.parquet'{{ ', ' if not loop.last }}{% endfor %})
    {%- else -%}
    1 = 0
    {%- endif -%}
{%- endmacro %}

{#- A condition: the key (named as in `touched`, a relation) is one that a night's delta works out again; in a whole
rebuild all are. -#}
{% macro is_touched(key, name, touched) -%}
    {%- if is_delta(name) -%}
    {{ key }} in (select t.{{ key.split('.')[-1] }} from {{ touched }} as t)
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}

{#- Give the kept rows of a mart the names that organisations have now: an organisation that no list knows is named by its
returns, which come without a person's record. -#}
{% macro name_kept_organisations(target_relation) -%}
    {%- if 'org_name' in adapter.get_columns_in_relation(target_relation) | map(attribute='name') -%}
    {%- call statement('name_organisations') -%}
        update {{ target_relation }} as m
        set org_name = n.org_name
        from (
            select
                k.org_code,
                coalesce(o.org_name, k.org_code) as org_name
            from (select distinct org_code, org_name from {{ target_relation }}) as k
            left join {{ kept('organisation') }} as o
                on k.org_code = o.org_code
            where k.org_name <> coalesce(o.org_name, k.org_code)
        ) as n
        where m.org_code = n.org_code
    {%- endcall -%}
    {%- endif -%}
{%- endmacro %}
