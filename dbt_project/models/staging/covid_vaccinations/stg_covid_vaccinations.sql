{{ accepted_figures('covid_vaccinations') }}
