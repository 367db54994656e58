{{ subject_mart('ae_pressure_daily') }}
