{{ accepted_figures('ae_monthly') }}
