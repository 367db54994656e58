{{ versions_of('data_opt_outs', ['person_pseudonym', 'opt_out_date']) }}
