-- A metric whose scope changed has a row for each scope, in the order of time; any other has one.
with scopes as (
    select
        m.metric_id,
        s.valid_from,
        s.valid_to,
        s.scope,
        s.scope_change,
        row_number() over (partition by m.metric_id order by s.valid_from nulls first) as place
    from {{ ref('metrics') }} as m
    inner join {{ ref('metric_scopes') }} as s
        on m.basis = s.basis and m.measure = s.measure and m.dimension = coalesce(s.dimension, m.dimension)
)

select
    m.metric_id,
    m.measure,
    m.dimension,
    m.basis,
    m.metric_name,
    m.definition,
    m.unit,
    m.kind,
    m.adds_over_time,
    m.adds_over_organisations,
    m.numerator_metric_id,
    m.denominator_metric_id,
    m.components,
    m.is_base,
    m.feed,
    m.definition_version + coalesce(s.place, 1) - 1 as definition_version,
    coalesce(s.valid_from, m.valid_from) as valid_from,
    -- The seed's last day is inclusive, this end is not.
    s.valid_to + 1 as valid_to,
    s.valid_to is null as is_current,
    s.scope,
    s.scope_change,
    m.disclosure_class,
    m.minimum_n,
    m.source
from {{ ref('metrics') }} as m
left join scopes as s
    on m.metric_id = s.metric_id
