update build.marts.occupancy_daily set occupied_beds = open_beds + 5
where org_level = 'nation' and bed_type = 'general_acute'
