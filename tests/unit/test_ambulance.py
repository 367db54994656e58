"""Ambulance indicators: several months in a file, totals told by their codes, what a full stop means."""

from __future__ import annotations

import pytest

from pipelines.adapters import catalogue
from pipelines.domain.feeds import Reading
from pipelines.domain.refusals import Refused
from tests.support.drawn import told

FEED = catalogue.feed("ambulance_ambsys")
ITEMS = [column.aliases[0] for column in FEED.figures]
WHOSE = {
    "Eng": ("Eng", "England"),
    "Y56": ("London", "London"),
    "ZA1": ("Y56", "LONDON SERVICE"),
    "ZA2": ("Y60", "MIDLANDS SERVICE"),
}


def month(number: int, *lines: str, more: str = "") -> list[str]:
    """Lines of a month: `ZA1 5` is 5 999 calls and zero of everything else."""
    written = []
    for line in lines:
        code, calls = line.split()
        region, name = WHOSE[code]
        written.append(f"2024,{number},{region},{code},{name},{calls}{',0' * (len(ITEMS) - 1)}{more}")
    return written


def read(*lines: str, more: str = "") -> Reading:
    header = ",".join(["Year", "Month", "Region", "Org Code", "Org Name", *ITEMS])
    content = "\n".join([header + more, *lines])
    return catalogue.reader(FEED)(content.encode(), FEED, catalogue.known(), "AmbSYS.csv")


def calls(reading: Reading) -> list[str]:
    return [line.replace("calls_answered__all ", "") for line in told(reading) if "calls_answered" in line]


def test_each_month_has_its_figures_and_totals() -> None:
    """England and a region are the check, never figures; a service's region is a code."""
    reading = read(*month(1, "Eng 7", "ZA1 5", "ZA2 2", "Y56 5"), *month(2, "Eng 1", "ZA1 1"))
    assert calls(reading) == [
        "ENGLAND 2024-01-01 to 2024-01-31: 7",
        "ZA1 2024-01-01 to 2024-01-31: 5",
        "ZA2 2024-01-01 to 2024-01-31: 2",
        "all of Y56 2024-01-01 to 2024-01-31: 5",
        "ENGLAND 2024-02-01 to 2024-02-29: 1",
        "ZA1 2024-02-01 to 2024-02-29: 1",
    ]
    assert set(reading.rows.filter(org_code="ZA2")["region_code"]) == {"Y60"}


def test_a_full_stop_is_not_collected_when_nobody_has_the_item_that_month() -> None:
    """Among others that reported it is a return that lacks; zero is zero."""
    reading = read(
        *month(1, "Eng 5", "ZA1 5", "ZA2 ."), *month(2, "Eng .", "ZA1 .", "ZA2 ."), *month(3, "Eng 0", "ZA1 0")
    )
    assert calls(reading) == [
        "ENGLAND 2024-01-01 to 2024-01-31: 5",
        "ZA1 2024-01-01 to 2024-01-31: 5",
        "ZA2 2024-01-01 to 2024-01-31: nothing, not_reported: not_available",
        "ENGLAND 2024-02-01 to 2024-02-29: nothing, not_collected: not_available",
        "ZA1 2024-02-01 to 2024-02-29: nothing, not_collected: not_available",
        "ZA2 2024-02-01 to 2024-02-29: nothing, not_collected: not_available",
        "ENGLAND 2024-03-01 to 2024-03-31: 0",
        "ZA1 2024-03-01 to 2024-03-31: 0",
    ]


def test_items_that_no_mart_needs_are_known_by_their_form() -> None:
    """New items too; any other column with values stops the file."""
    reading = read(*month(1, "Eng 5", "ZA1 5", more=",9"), more=",A999")
    assert reading.not_loaded == ()
    with pytest.raises(Refused, match="column 'B1' is not declared"):
        read(*month(1, "Eng 5", "ZA1 5", more=",9"), more=",B1")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([*month(1, "Eng 5", "ZA1 5"), *month(2, "ZA1 5")], "0 TOTAL rows where ambulance_ambsys has one for February"),
        ([*month(1, "Eng 5", "Eng 5", "ZA1 5")], "2 TOTAL rows where ambulance_ambsys has one for January 2024"),
        ([*month(13, "Eng 5", "ZA1 5")], "row 2, column B: month: not a year and a month"),
        ([*month(1, "Eng 5", "ZA1 n/a")], "row 3, column F: a1: not a plain number"),
        ([*month(1, "Eng 5")], "no provider rows"),
    ],
)
def test_what_is_not_whole_is_refused(lines: list[str], says: str) -> None:
    with pytest.raises(Refused, match=says):
        read(*lines)
