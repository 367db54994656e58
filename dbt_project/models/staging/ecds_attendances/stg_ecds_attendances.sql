{{ versions_of('ecds_attendances', [
    'provider_code', 'site_code', 'person_pseudonym', 'age_band', 'area_code', 'ec_department_type',
    'ec_attendance_category', 'arrival_at', 'arrival_date', 'ec_initial_assessment_at', 'ec_seen_for_treatment_at',
    'ec_decision_to_admit_at', 'ec_departure_at'
]) }}
