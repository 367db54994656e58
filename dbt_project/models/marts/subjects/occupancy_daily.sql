{{ subject_mart('occupancy_daily') }}
