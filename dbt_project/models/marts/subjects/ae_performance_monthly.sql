{{ subject_mart('ae_performance_monthly') }}
