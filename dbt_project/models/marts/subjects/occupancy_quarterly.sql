{{ subject_mart('occupancy_quarterly') }}
