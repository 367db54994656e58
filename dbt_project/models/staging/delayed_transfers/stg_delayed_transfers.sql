{{ accepted_figures('delayed_transfers') }}
