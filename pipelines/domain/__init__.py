"""The rules of the datastore: pure Python and Polars, without Dagster, DuckDB or Great Expectations."""
