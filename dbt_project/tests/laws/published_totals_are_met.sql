-- What is known now of a metric and period adds to the totals that its own publication prints, for England and for
-- every region. Averages are fractions: equal to a millionth.
select
    metric_id,
    period_start,
    org_code
from {{ ref('int_reconciliation__published_totals') }}
where abs(added_value - printed_value) > 0.000001
