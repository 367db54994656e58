-- Records against returns. A provider whose records come to less than half or more than twice its return sends
-- something else than what it returns, a sample or one site: that is said, and neither judged nor ranked.
with compared as (
    select
        c.pair_id,
        c.org_code,
        c.period_start,
        c.period_end,
        p.left_source,
        p.right_source,
        c.left_value,
        c.right_value,
        p.tolerance,
        p.tolerance_reason,
        c.left_value - c.right_value as difference,
        {{ ratio('c.left_value - c.right_value', 'c.right_value') }} as relative_difference,
        c.left_value >= c.right_value / 2 and c.left_value <= c.right_value * 2 as is_comparable
    from {{ ref('int_reconciliation__persons') }} as c
    inner join {{ ref('pairs') }} as p
        on c.pair_id = p.pair_id
),

judged as (
    select
        m.*,
        case when m.is_comparable then abs(m.relative_difference) <= m.tolerance end as is_within,
        case
            when m.is_comparable
                then
                    row_number() over (
                        partition by m.pair_id, m.is_comparable
                        order by
                            abs(m.relative_difference) desc nulls last,
                            abs(m.difference) desc,
                            m.org_code asc nulls last,
                            m.period_start asc nulls last
                    )
        end as place
    from compared as m
)

select
    j.pair_id,
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
    j.tolerance_reason,
    j.is_comparable,
    j.is_within,
    j.place as rank,
    case
        when j.difference = 0 then 'Both are equal.'
        else
            coalesce(o.org_name, j.org_code) || ': ' || {{ in_figures('j.left_value') }} || ' by its records against '
            || {{ in_figures('j.right_value') }} || ' in its return'
            || case
                when not j.is_comparable then ': its records are not what it returns, and are not compared.'
                else
                    ', ' || {{ in_figures('abs(j.relative_difference) * 100') }} || ' per cent '
                    || case when j.difference < 0 then 'less' else 'more' end
                    || case when j.is_within then ', within the tolerance.' else '.' end
            end
    end as finding
from judged as j
left join {{ ref('organisation') }} as o
    on j.org_code = o.org_code
