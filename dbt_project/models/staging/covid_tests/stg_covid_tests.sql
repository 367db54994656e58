{{ versions_of('covid_tests', [
    'reporting_lab_code', 'person_pseudonym', 'age_band', 'area_code', 'specimen_date', 'test_result'
]) }}
