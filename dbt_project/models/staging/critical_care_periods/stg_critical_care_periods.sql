{{ versions_of('critical_care_periods', [
    'provider_code', 'spell_key', 'critical_care_unit_function', 'critical_care_start_at',
    'critical_care_discharge_at'
]) }}
