"""The only openers of DuckDB, Great Expectations, the key store and the landing store."""
