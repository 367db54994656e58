"""What the datastore costs, as ratios inside one run: see README.md beside this file."""
