"""The rules of person-level feeds: what a record is, the clock on the wall, and what becomes of each column."""
