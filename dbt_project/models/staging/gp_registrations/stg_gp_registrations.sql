{{ versions_of('gp_registrations', [
    'gp_practice_code', 'person_pseudonym', 'age_band', 'area_code', 'registration_start_date',
    'registration_end_date'
]) }}
