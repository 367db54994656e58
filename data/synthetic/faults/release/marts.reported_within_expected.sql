update build.marts.occupancy_daily set orgs_reported = orgs_expected + 1
where org_level = 'nation'
