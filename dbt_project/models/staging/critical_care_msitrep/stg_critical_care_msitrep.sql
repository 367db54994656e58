{{ accepted_figures('critical_care_msitrep') }}
