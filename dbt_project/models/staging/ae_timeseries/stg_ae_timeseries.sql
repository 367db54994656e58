{{ accepted_figures('ae_timeseries') }}
