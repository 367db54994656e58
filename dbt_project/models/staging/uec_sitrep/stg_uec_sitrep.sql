{{ accepted_figures('uec_sitrep') }}
