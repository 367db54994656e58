"""The same work in pandas and in Spark; each runs as a process of its own, in a Python of its own."""
