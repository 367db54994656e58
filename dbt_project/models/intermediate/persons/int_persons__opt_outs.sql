{{ config(
    materialized='by_key', key='record_key', feed='data_opt_outs',
    unversioned=['record_version', 'submission_date', 'batch']
) }}
with
{{ latest_versions('data_opt_outs', 'int_persons__opt_outs', ['person_pseudonym', 'opt_out_date']) }}

select *
from latest
