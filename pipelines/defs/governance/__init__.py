"""What governs the datasets, shown nightly."""
