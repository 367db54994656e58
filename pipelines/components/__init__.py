"""Component types: things that Dagster has three or more of, alike but for their facts."""
