{{ subject_mart('covid_deaths_daily') }}
