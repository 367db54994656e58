{#- Every subject mart from its entry in `vars.subjects` (dbt_project.yml): the one place where figures are added over
organisations. The model of the mart is `subject_mart`; its as-known table macros in the published file are the same
text over published relations (`known_form`, and `known_members` for the returns that are in it).

A row's figures are sums of returns: at the code that they are counted as, at its region and ICB and in the nation. A
site's return is not added to its trust; where the trust cannot be apportioned it is, and the site's own row stays.
Figures that do not add over organisations are shown where they were published. Organisations that were expected and
are not in the publication count in orgs_expected above them and get no row of their own. -#}
{% macro subject_mart(name) -%}
{%- set subject = var('subjects')[name] -%}
{%- set shown = {'known': 'o.known_to is null', 'views': var('organisation_views')} -%}
{%- for relation in subject_sources() -%}
{%- do shown.update({relation: ref(relation)}) -%}
{%- endfor -%}
with {{ subject_leaves(subject, shown) }},

{{ subject_levels(subject, shown) }}

select
    f.organisation_view,
    {{ subject_columns(subject) }}
from {{ rolled_up_and_named(shown) }}
{% endmacro %}

{#- A subject mart as it was known at the end of the day `known_on`, as the body of a table macro. -#}
{% macro known_form(name, view) -%}
{%- set subject = var('subjects')[name] -%}
{%- set shown = as_published(view) -%}
with {{ subject_leaves(subject, shown) }},

{{ subject_levels(subject, shown) }}

select
    {{ subject_columns(subject) }}
from {{ rolled_up_and_named(shown) }}
{%- endmacro %}

{#- The returns that a subject mart counts or misses, as known at the end of the day `known_on`. -#}
{% macro known_members(name, view) -%}
{%- set subject = var('subjects')[name] -%}
with {{ subject_leaves(subject, as_published(view)) }}

select
    period_start,
    period_end,
    dimension,
    basis,
    org_code,
    counted_as,
    is_apportionable,
    region_code,
    icb_code,
    is_present,
    orgs_expected,
    orgs_reported,
    {{ state_name('state') }} as status,
    {%- for measure in summed_measures(subject) %}
    cast({{ measure }} as double) as {{ measure }}{{ ',' if not loop.last }}
    {%- endfor %}
from placed
{%- endmacro %}

{#- The published relations that a subject mart is made of. -#}
{% macro subject_sources() -%}
    {{ return([
        'observation', 'publication', 'metric', 'organisation', 'organisation_history', 'organisation_view'
    ]) }}
{%- endmacro %}

{#- What `subject_leaves` and the rest read in a published file, for one organisation view and a day. -#}
{% macro as_published(view) -%}
    {%- set before = 'cast(cast(known_on as date) + 1 as timestamp)' -%}
    {%- set shown = {
        'before': before,
        'known': '(o.known_from < ' ~ before ~ ' and ' ~ or_never('o.known_to') ~ ' >= ' ~ before ~ ')',
        'views': [view]
    } -%}
    {%- for relation in subject_sources() -%}
    {%- do shown.update({relation: 'marts.' ~ relation}) -%}
    {%- endfor -%}
    {{ return(shown) }}
{%- endmacro %}

{#- From `placed` to the rows of every level, `rolled_up`, and the periods in which a measure's scope changes, `breaks`. -#}
{% macro subject_levels(subject, shown) -%}
{%- set measures = summed_measures(subject) -%}
{%- set key = ['organisation_view', 'basis', 'dimension', 'period_start', 'period_end'] -%}
{%- set own = [
    ('counted_as', 'true'),
    ('org_code', "counted_as <> org_code and org_code in (select org_code from " ~ shown.organisation
        ~ " where org_level = 'site')")
] -%}
{%- set above = [
    ("'" ~ var('nation') ~ "'", 'adds_over_organisations'),
    ('region_code', 'adds_over_organisations and region_code is not null'),
    ('icb_code', 'adds_over_organisations and icb_code is not null')
] -%}
rolled_up as (
    {%- for code, condition in own + above %}
    select
        {{ key | join(',\n        ') }},
        {{ code }} as org_code,
        cast(sum(orgs_expected) as bigint) as orgs_expected,
        cast(sum(orgs_reported) as bigint) as orgs_reported,
        max(state) as state,
        {{ 'bool_and(is_apportionable)' if code == 'counted_as' else 'true' }} as is_apportionable,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from placed
    where {{ condition }}
    group by {{ key | join(', ') }}{{ ', ' ~ code if code[0] != "'" }}
    having bool_or(is_present)
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

successive as (
    select
        basis,
        dimension,
        period_start,
        period_end,
        lag(period_end) over (
            partition by basis, dimension order by period_end nulls last, period_start nulls last
        ) as previous_end
    from periods
),

breaks as (
    select
        s.basis,
        s.dimension,
        s.period_start,
        s.period_end,
        {{ dbt.listagg('distinct m.scope_change', "'; '", 'order by m.scope_change') }} as scope_break
    from successive as s
    inner join {{ shown.metric }} as m
        on
            s.basis = m.basis
            and s.dimension = m.dimension
            and s.previous_end < m.valid_from
            and s.period_end >= m.valid_from
    where m.scope_change is not null and m.measure in ('{{ (measures + (subject.rates or {}) | list) | join("', '") }}')
    group by s.basis, s.dimension, s.period_start, s.period_end
)
{%- endmacro %}

{% macro rolled_up_and_named(shown) -%}
rolled_up as f
inner join {{ shown.organisation }} as o
    on f.org_code = o.org_code
left join breaks as b
    on
        f.basis = b.basis
        and f.dimension = b.dimension
        and f.period_start = b.period_start
        and f.period_end = b.period_end
{%- endmacro %}

{#- The columns of a subject mart but organisation_view, in the order of its contract. -#}
{% macro subject_columns(subject) -%}
    f.period_{{ subject.period.dated }} as {{ subject.period.column }},
    o.org_level,
    f.org_code,
    o.org_name,
    {%- if subject.dimension %}
    f.dimension as {{ subject.dimension }},
    {%- endif %}
    {%- if subject.bases | length > 1 %}
    f.basis,
    {%- endif %}
    {%- for measure in subject.measures %}
    {%- if measure in (subject.rates or {}) %}
    {{ ratio(summed(subject, subject.rates[measure][0]), summed(subject, subject.rates[measure][1])) }}
    {%- elif measure in (subject.averages or []) %}
    cast({{ summed(subject, measure) }} as double)
    {%- else %}
    {{ whole(summed(subject, measure)) }}
    {%- endif %} as {{ measure }},
    {%- endfor %}
    {%- if subject.period.days %}
    cast({{ dbt.datediff('f.period_start', 'f.period_end', 'day') }} + 1 as bigint) as {{ subject.period.days }},
    {%- endif %}
    f.orgs_expected,
    f.orgs_reported,
    case
        when f.state >= {{ rank_of_reported() }} and not f.is_apportionable then 'not_apportionable'
        else {{ state_name('f.state') }}
    end as status,
    b.scope_break
{%- endmacro %}

{#- A measure of a row: its sum, or where a basis publishes the parts alone the sum of their sums, so that nation and
regions equal what was published. -#}
{% macro summed(subject, measure) -%}
    {%- set cases = [] -%}
    {%- for basis, wholes in (subject.parts or {}).items() if measure in wholes -%}
    {%- do cases.append("when f.basis = '" ~ basis ~ "' then f." ~ wholes[measure] | join(' + f.')) -%}
    {%- endfor -%}
    {{ return('case ' ~ cases | join(' ') ~ ' else f.' ~ measure ~ ' end' if cases else 'f.' ~ measure) }}
{%- endmacro %}
