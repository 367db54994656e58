{{ expected_providers('int_spells__submissions') }}
