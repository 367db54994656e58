{{ accepted_figures('ukhsa_dashboard') }}
