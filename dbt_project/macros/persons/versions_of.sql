{#- The staging view of a person-level feed: every accepted version, with what orders versions and the file that it lies in,
and the columns that the feed keeps. -#}
{% macro versions_of(feed, columns) -%}
select
    batch,
    record_key,
    record_version,
    submission_date,
    is_deletion,
    {%- for column in columns %}
    {{ column }},
    {%- endfor %}
    {{ accepted_file() }} as accepted_file
from {{ source('landing', feed) }}
{%- endmacro %}
