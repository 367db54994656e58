{#- The latest version of every record of a feed, as the body of a model that is kept by record_key; deletions stay as
rows of their own, since a version that comes later may be older, or revive the record.

The total order: record_version, submission_date, deletion above replacement, digest of the file. Rows of one file that
this order does not tell apart were rejected at reading, and equal copies were made one.

`columns` are the feed's own; `touched` is a query of keys beside those of the new batches that are worked out again. -#}
{% macro latest_versions(feed, name, columns, touched=none) -%}
{%- set batches = ref('stg_batches') -%}
{%- set versioned = ['record_key', 'record_version', 'submission_date', 'is_deletion', 'batch'] -%}
{%- set all_columns = versioned + columns -%}
{%- set staged = ref('stg_' ~ feed) -%}
{%- set order = 'record_version desc, submission_date desc, is_deletion desc, batch desc' -%}
{%- set is_new = is_new_to(name, feed) if is_delta(name) else none -%}
{%- if is_new %}
candidates as (
    select {{ all_columns | join(', ') }}
    from {{ staged }}
    where {{ is_new }}
    union all
    select {{ all_columns | join(', ') }}
    from {{ kept(name) }}
    where
        record_key in (
            select record_key
            from {{ staged }}
            where {{ is_new }}
            {%- if touched %}
            union
            {{ touched }}
            {%- endif %}
        )
),

ranked as (
    select
        {{ all_columns | join(', ') }},
        row_number() over (partition by record_key order by {{ order }}) as place
    from candidates
),

latest as (
    select {{ all_columns | join(', ') }}
    from ranked
    where place = 1
)
{%- else %}
-- Most records have one version: only the others are put in order, and only by what orders them. The rows themselves
-- are read once, and looked up by nothing but their key.
repeated as (
    select record_key
    from {{ staged }}
    group by record_key
    having count(*) > 1
),

ranked as (
    select
        {{ versioned | join(', ') }},
        row_number() over (partition by record_key order by {{ order }}) as place
    from {{ staged }}
    where record_key in (select record_key from repeated)
),

greatest_versions as (
    select {{ versioned | join(', ') }}
    from ranked
    where place = 1
),

latest as (
    select
        {%- for column in all_columns %}
        s.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ staged }} as s
    left join greatest_versions as g
        on s.record_key = g.record_key
    where
        g.record_key is null
        or (
            {%- for column in versioned[1:] %}
            {{ 'and ' if not loop.first }}s.{{ column }} = g.{{ column }}
            {%- endfor %}
        )
)
{%- endif %}
{%- endmacro %}
