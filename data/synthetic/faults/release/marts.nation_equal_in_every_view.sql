update build.marts.ae_performance_monthly set attendances = attendances + 1
where organisation_view = 'as_current' and org_level = 'nation' and department_type = 'all'
