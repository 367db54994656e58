{{ horizon('int_spells__submissions') }}
