{{ horizon('int_ae__submissions') }}
