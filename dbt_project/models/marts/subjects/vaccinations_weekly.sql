{{ subject_mart('vaccinations_weekly') }}
