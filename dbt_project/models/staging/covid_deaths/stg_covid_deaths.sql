{{ accepted_figures('covid_deaths') }}
