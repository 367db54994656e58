"""The end of a dataset: plan, approve, execute, certify."""
