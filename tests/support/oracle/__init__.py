"""The contract of the person-level feeds a second time, in plain Python: slow, and meant to be plainly right.

Tests hold the project's SQL against it. It shares no code with the project, knows persons by their NHS numbers and
records by their numbers as sent, and does everything by going through all rows again.
"""

from __future__ import annotations

from tests.support.oracle.admissions import admissions_daily
from tests.support.oracle.beds import occupancy_daily, occupancy_hourly
from tests.support.oracle.emergency import department_now, reattendance_daily, waiting_times_daily
from tests.support.oracle.figures import Row
from tests.support.oracle.places import Organisations, Statement, Succession
from tests.support.oracle.reading import Accepted, Reading, SuppliedFile, read
from tests.support.oracle.records import Records, records
from tests.support.oracle.stays import length_of_stay

MARTS = {
    "ae_waiting_times_daily": waiting_times_daily,
    "ae_department_now": department_now,
    "reattendance_daily": reattendance_daily,
    "occupancy_hourly": occupancy_hourly,
    "occupancy_daily": occupancy_daily,
    "length_of_stay": length_of_stay,
    "admissions_daily": admissions_daily,
}
"""Each mart of person-level feeds, made from records."""

__all__ = [
    "MARTS",
    "Accepted",
    "Organisations",
    "Reading",
    "Records",
    "Row",
    "Statement",
    "Succession",
    "SuppliedFile",
    "read",
    "records",
]
