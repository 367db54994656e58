"""What happened, as data: batches, checks and releases, written before dbt reads them."""
