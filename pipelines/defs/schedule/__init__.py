"""When things run: every night, and when a file is dropped."""
