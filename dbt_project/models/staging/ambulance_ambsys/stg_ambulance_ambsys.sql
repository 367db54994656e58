{{ accepted_figures('ambulance_ambsys') }}
