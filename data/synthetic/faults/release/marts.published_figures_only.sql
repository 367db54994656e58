update build.marts.metric set disclosure_class = 'derived_from_persons'
where metric_id = (select min(metric_id) from build.marts.observation)
