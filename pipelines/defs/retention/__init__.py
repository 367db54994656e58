"""The end of datasets: what would go, every night; and the job that does it, when it is approved."""
