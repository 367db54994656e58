with compared as (
    select
        c.pair_id,
        c.quantity,
        c.org_code,
        c.period_start,
        c.period_end,
        p.left_source,
        p.right_source,
        c.left_value,
        c.right_value,
        c.left_known_from,
        c.right_known_from,
        c.expected_ratio,
        p.tolerance,
        p.tolerance_of,
        p.tolerance_reason,
        p.restated_in_between,
        -- Exact, so that equal fractions give nothing.
        cast({{ exact('c.left_value') }} - {{ exact('c.right_value * c.expected_ratio') }} as double) as difference
    from {{ ref('int_reconciliation__comparisons') }} as c
    inner join {{ ref('pairs') }} as p
        on c.pair_id = p.pair_id
),

measured as (
    select
        c.*,
        {{ ratio('c.difference', 'abs(c.right_value * c.expected_ratio)') }} as relative_difference
    from compared as c
),

judged as (
    select
        m.*,
        case
            when m.tolerance_of = 'difference' then abs(m.difference) <= m.tolerance
            else coalesce(abs(m.relative_difference) <= m.tolerance, m.difference = 0)
        end as is_within,
        row_number() over (
            partition by m.pair_id
            order by
                case when m.tolerance_of = 'difference' then abs(m.difference) else abs(m.relative_difference) end
                desc nulls last,
                abs(m.difference) desc nulls last,
                m.quantity asc nulls last,
                m.org_code asc nulls last,
                m.period_start asc nulls last
        ) as place
    from measured as m
)

select
    j.pair_id,
    j.quantity,
    o.org_level,
    j.org_code,
    j.period_start,
    j.period_end,
    j.left_source,
    j.right_source,
    j.left_value,
    j.right_value,
    j.difference,
    j.relative_difference,
    j.tolerance,
    j.tolerance_of,
    j.tolerance_reason,
    j.is_within,
    j.place as rank,
    case
        when j.difference = 0 then 'Both are equal.'
        else
            coalesce(o.org_name, j.org_code) || ': ' || {{ in_figures('j.left_value') }} || ' against '
            || {{ in_figures('j.right_value') }}
            || case
                when j.expected_ratio <> 1
                    then ', where the median organisation has ' || {{ in_figures('j.expected_ratio * 100') }} || ' per cent'
                else ''
            end
            || ': ' || {{ in_figures('abs(j.difference)') }}
            || coalesce(' (' || {{ in_figures('abs(j.relative_difference) * 100') }} || ' per cent)', '')
            || case when j.difference < 0 then ' less than expected' else ' more than expected' end
            || case
                when j.is_within then ', within the tolerance.'
                when j.restated_in_between and j.left_known_from <> j.right_known_from
                    then
                        '. The left was published on ' || cast(cast(j.left_known_from as date) as {{ dbt.type_string() }})
                        || ', the right on ' || cast(cast(j.right_known_from as date) as {{ dbt.type_string() }})
                        || ': restated in between.'
                else '.'
            end
    end as finding
from judged as j
left join {{ ref('organisation') }} as o
    on j.org_code = o.org_code
