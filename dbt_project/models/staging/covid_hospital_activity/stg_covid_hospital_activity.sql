{{ accepted_figures('covid_hospital_activity') }}
