{{ config(
    materialized='by_key', key='record_key', feed='critical_care_periods',
    unversioned=['record_version', 'submission_date', 'batch']
) }}
with
{{ latest_versions(
    'critical_care_periods', 'int_critical_care__periods',
    [
        'provider_code', 'spell_key', 'critical_care_unit_function', 'critical_care_start_at',
        'critical_care_discharge_at'
    ]
) }}

select *
from latest
