{{ expected_providers('int_ae__submissions') }}
