{#- From providers' figures to every level: the one place where figures are added over organisations.

`providers` has `period`, `dimension`, org_code, region_code and the measures (one row per provider that the current
publication carries). Yields the CTE `rolled_up`: the provider's own row, and sums for the region that its return
names, the ICB that ODS gives it on the figure's date and the nation, with orgs_expected and orgs_reported.
A site's return is not added to its trust. Organisations that were expected and are not in the publication count
in orgs_expected above them and get no row of their own. -#}
{% macro roll_up(providers, subject, period, dimension, measures) -%}
counted as (
    select
        p.org_code is not null as is_present,
        coalesce(p.{{ period }}, e.period_start) as {{ period }},
        coalesce(p.{{ dimension }}, e.dimension) as {{ dimension }},
        coalesce(p.org_code, e.org_code) as org_code,
        coalesce(p.region_code, e.region_code) as region_code,
        case when e.org_code is null then 0 else 1 end as orgs_expected,
        coalesce(e.is_reported, 0) as orgs_reported,
        {%- for measure in measures %}
        {{ exact('p.' ~ measure) }} as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ providers }} as p
    full outer join
        (
            select dimension, period_start, org_code, region_code, is_reported
            from {{ ref('met_observations__expected') }}
            where subject = '{{ subject }}'
        ) as e
        on p.org_code = e.org_code and p.{{ period }} = e.period_start and p.{{ dimension }} = e.dimension
),

placed as (
    select
        c.*,
        m.icb_code
    from counted as c
    left join {{ ref('int_organisations__icb_membership') }} as m
        on
            c.org_code = m.org_code
            and cast(c.{{ period }} as timestamp) >= m.valid_from
            and cast(c.{{ period }} as timestamp) < {{ or_never('m.valid_to') }}
),

rolled_up as (
    select
        {{ period }},
        {{ dimension }},
        org_code,
        cast(orgs_expected as bigint) as orgs_expected,
        cast(orgs_reported as bigint) as orgs_reported,
        {{ measures | join(',\n        ') }}
    from placed
    where is_present
    {%- for above in ["'" ~ var('nation') ~ "'", 'region_code', 'icb_code'] %}
    union all
    select
        {{ period }},
        {{ dimension }},
        {{ above }} as org_code,
        cast(sum(orgs_expected) as bigint) as orgs_expected,
        cast(sum(orgs_reported) as bigint) as orgs_reported,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from placed
    where {{ above }} is not null
    group by {{ period }}, {{ dimension }}{{ ', ' ~ above if not loop.first }}
    having bool_or(is_present)
    {%- endfor %}
)
{%- endmacro %}
