{#- What a subject mart counts, down to single returns. `shown` says of which organisation view and of what was known
when: see `build_form` and `known_form`. Yields the CTEs up to `placed`: one row per organisation view, basis,
dimension, period and reporting organisation, with the code that it is counted as, the region and ICB of that, whether
the organisation was expected and reported, and its figures. Everything is read from published relations. -#}
{% macro subject_leaves(subject, shown) -%}
{%- set measures = summed_measures(subject) -%}
{%- set key = ['feed', 'adds_over_organisations', 'basis', 'dimension', 'period_start', 'period_end', 'org_code'] -%}
registry as (
    select distinct
        metric_id,
        measure,
        dimension,
        basis,
        feed,
        bool_and(adds_over_organisations) over (partition by basis) as adds_over_organisations
    from {{ shown.metric }}
    where
        basis in ('{{ subject.bases | join("', '") }}')
        and measure in ('{{ measures | join("', '") }}')
        {%- if not subject.dimension %}
        and dimension = 'all'
        {%- endif %}
),

newest as (
    select
        metric_id,
        period_start,
        period_end,
        max(known_from) as known_from
    from {{ shown.publication }}
    {%- if shown.before %}
    where known_from < {{ shown.before }}
    {%- endif %}
    group by metric_id, period_start, period_end
),

-- What is known, and what the newest publication replaced or dropped.
figures as (
    select
        r.feed,
        r.adds_over_organisations,
        r.basis,
        r.dimension,
        r.measure,
        o.period_start,
        o.period_end,
        o.org_code,
        o.region_code,
        o.value,
        {{ state_rank('o.status') }} as state,
        {{ shown.known }} as is_known,
        case r.measure
            {%- for measure in subject.lead %}
            when '{{ measure }}' then {{ loop.index }}
            {%- endfor %}
        end as precedence
    from {{ shown.observation }} as o
    inner join registry as r
        on o.metric_id = r.metric_id
    inner join newest as n
        on o.metric_id = n.metric_id and o.period_start = n.period_start and o.period_end = n.period_end
    where {{ shown.known }} or o.known_to = n.known_from
),

leaves as (
    select
        {{ key | join(',\n        ') }},
        max(region_code) as region_code,
        {%- for measure in measures %}
        {{ exact("max(case when measure = '" ~ measure ~ "' then value end)") }} as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from figures
    where is_known
    group by {{ key | join(', ') }}
),

-- The lead measure of an organisation that has no row of the first one is the next one that it has.
leads as (
    select
        *,
        min(precedence) over (partition by {{ key | join(', ') }}) as first_precedence
    from figures
    where precedence is not null
),

led as (
    select
        {{ key | join(',\n        ') }},
        max(region_code) as region_code,
        max(case when state >= {{ rank_of_suppressed() }} then 1 else 0 end) as orgs_expected,
        max(case when is_known and state >= {{ rank_of_reported() }} then 1 else 0 end) as orgs_reported,
        max(case when is_known then state end) as state
    from leads
    where precedence = first_precedence
    group by {{ key | join(', ') }}
),

periods as (
    select distinct
        feed,
        adds_over_organisations,
        basis,
        dimension,
        period_start,
        period_end
    from led
),

-- Organisations that the subject expects for a period: those that return its lead measure now, those that the
-- publication before had, and those that reported it for the calendar period before.
expected as (
    select
        {{ key | join(',\n        ') }},
        region_code,
        orgs_expected,
        orgs_reported,
        state,
        true as is_own
    from led
    union all
    select
        p.feed,
        p.adds_over_organisations,
        p.basis,
        p.dimension,
        p.period_start,
        p.period_end,
        l.org_code,
        l.region_code,
        1 as orgs_expected,
        0 as orgs_reported,
        cast(null as integer) as state,
        false as is_own
    from led as l
    inner join periods as p
        on l.basis = p.basis and l.dimension = p.dimension and l.period_end + 1 = p.period_start
    where l.orgs_reported = 1
),

expectations as (
    select
        {{ key | join(',\n        ') }},
        coalesce(max(case when is_own and orgs_expected = 1 then region_code end), max(region_code)) as region_code,
        max(orgs_expected) as orgs_expected,
        max(orgs_reported) as orgs_reported,
        max(state) as state,
        max(case when is_own then orgs_expected else 0 end) as is_own
    from expected
    group by {{ key | join(', ') }}
),

counted as (
    select
        {%- for column in key %}
        coalesce(l.{{ column }}, e.{{ column }}) as {{ column }},
        {%- endfor %}
        coalesce(l.region_code, e.region_code) as region_code,
        l.org_code is not null as is_present,
        coalesce(e.orgs_expected, 0) as orgs_expected,
        coalesce(e.orgs_reported, 0) as orgs_reported,
        coalesce(e.is_own, 0) as is_own,
        e.state,
        {%- for measure in measures %}
        l.{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from leaves as l
    full outer join expectations as e
        on
            {%- for column in key %}
            {{ 'and ' if not loop.first }}l.{{ column }} = e.{{ column }}
            {%- endfor %}
),

views as (
    {%- for view in shown.views %}
    select '{{ view }}' as organisation_view
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- An exception that is a feed's own goes before one for all feeds; without any a code is counted as itself. A code that
-- had been succeeded by then is not expected any more where it is counted as its successor.
viewed as (
    select
        v.organisation_view,
        {%- for column in key %}
        c.{{ column }},
        {%- endfor %}
        c.region_code,
        c.is_present,
        case
            when c.is_own = 0 and v.organisation_view <> 'as_reported' and ended.counted_as <> c.org_code then 0
            else c.orgs_expected
        end as orgs_expected,
        c.orgs_reported,
        c.state,
        coalesce(own_feed.counted_as, any_feed.counted_as, c.org_code) as counted_as,
        case
            when own_feed.counted_as is null then coalesce(any_feed.is_apportionable, true)
            else own_feed.is_apportionable
        end as is_apportionable,
        case
            when v.organisation_view = 'as_current' then {{ last_moment() }}
            else cast(c.period_start as timestamp)
        end as placed_at,
        {%- for measure in measures %}
        c.{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from counted as c
    cross join views as v
    {%- for alias, view, feed in [
        ('own_feed', 'v.organisation_view', '= c.feed'), ('any_feed', 'v.organisation_view', 'is null'),
        ('ended', "'as_at_date'", 'is null')
    ] %}
    left join {{ shown.organisation_view }} as {{ alias }}
        on
            {{ alias }}.organisation_view = {{ view }}
            and {{ alias }}.feed {{ feed }}
            and c.org_code = {{ alias }}.org_code
            and c.period_start >= {{ alias }}.valid_from
            and c.period_start < coalesce({{ alias }}.valid_to, date '9999-12-31')
    {%- endfor %}
),

-- As reported, the region is the one that the return names; re-expressed, it is that of the code which counts.
placed as (
    select
        v.organisation_view,
        {%- for column in key %}
        v.{{ column }},
        {%- endfor %}
        v.counted_as,
        v.is_apportionable,
        case when v.organisation_view = 'as_reported' then v.region_code else coalesce(region.value, v.region_code) end
            as region_code,
        icb.value as icb_code,
        v.is_present,
        v.orgs_expected,
        v.orgs_reported,
        v.state,
        {%- for measure in measures %}
        v.{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from viewed as v
    {%- for above in ['region', 'icb'] %}
    left join {{ shown.organisation_history }} as {{ above }}
        on
            {{ above }}.attribute = '{{ above }}_code'
            and v.counted_as = {{ above }}.org_code
            and v.placed_at >= {{ above }}.valid_from
            and v.placed_at < {{ or_never(above ~ '.valid_to') }}
    {%- endfor %}
)
{%- endmacro %}

{#- The measures that are added over organisations for a subject: those it shows, those that a shown one is made of, those
that a rate divides, and those that lead. -#}
{% macro summed_measures(subject) -%}
    {%- set rates = subject.rates or {} -%}
    {%- set summed = subject.measures | reject('in', rates) | list + subject.lead -%}
    {%- for operands in rates.values() -%}
    {%- do summed.extend(operands) -%}
    {%- endfor -%}
    {%- for basis, wholes in (subject.parts or {}).items() -%}
    {%- for parts in wholes.values() -%}
    {%- do summed.extend(parts) -%}
    {%- endfor -%}
    {%- endfor -%}
    {{ return(summed | unique | list) }}
{%- endmacro %}
