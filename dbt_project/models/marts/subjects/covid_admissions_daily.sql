{{ subject_mart('covid_admissions_daily') }}
