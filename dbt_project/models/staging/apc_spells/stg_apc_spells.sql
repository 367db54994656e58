{{ versions_of('apc_spells', [
    'provider_code', 'site_code', 'person_pseudonym', 'age_band', 'area_code', 'patient_classification',
    'admission_method', 'source_of_admission', 'admission_at', 'admission_date', 'discharge_at', 'discharge_date',
    'discharge_destination', 'treatment_function_code', 'is_covid_diagnosed', 'is_covid_primary'
]) }}
