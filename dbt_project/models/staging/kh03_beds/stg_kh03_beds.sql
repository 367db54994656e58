{{ accepted_figures('kh03_beds') }}
