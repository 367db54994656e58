{{ subject_mart('long_stay_daily') }}
