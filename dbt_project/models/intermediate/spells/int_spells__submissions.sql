{{ config(materialized='by_key', key='batch', feed='apc_spells') }}
{{ submissions('apc_spells', 'int_spells__submissions') }}
