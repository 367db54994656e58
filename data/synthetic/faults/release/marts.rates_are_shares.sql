update build.marts.ae_performance_monthly set within_four_hours_rate = 1.2
where org_level = 'nation' and department_type = 'all'
