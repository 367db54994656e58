{{ versions_of('care_home_residents', [
    'person_pseudonym', 'age_band', 'area_code', 'residency_start_date', 'residency_end_date'
]) }}
