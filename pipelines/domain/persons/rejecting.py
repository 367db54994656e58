"""Why a row of a person-level file is rejected: one code a row, the first that applies in this order.

A rejected row is no version of its record. A file is accepted without its rejected rows unless they are too many.
"""

from __future__ import annotations

UNPARSABLE = "row_unparsable"
CONFLICTING = "conflicting_version"
REASONS = (
    UNPARSABLE,
    "value_not_of_type",
    "required_value_missing",
    "code_not_permitted",
    "nhs_number_invalid",
    "nhs_number_not_test",
    "sentinel_date",
    "local_time_invalid",
    "date_in_future",
    "age_implausible",
    "end_before_start",
    "interval_implausible",
    CONFLICTING,
)

# Years in which nothing of a record happened: systems write them where a date is not known.
SENTINEL_YEARS = (1582, 1800, 1801, 1899, 1900, 9999)
# Whole years from birth to the record's start that nobody reached.
LONGEST_LIFE = 120
# NHS numbers that were set aside for tests.
TEST_NUMBERS = "999"
# Beyond both, a file is quarantined.
TOLERATED_ROWS = 20
TOLERATED_SHARE = 0.05
