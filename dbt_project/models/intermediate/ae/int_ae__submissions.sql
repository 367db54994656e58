{{ config(materialized='by_key', key='batch', feed='ecds_attendances') }}
{{ submissions('ecds_attendances', 'int_ae__submissions') }}
