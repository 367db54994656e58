"""An end is a row with its authority: what it covers, stops, and what holds it up; and the warning before a lapse."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pipelines.adapters import catalogue
from pipelines.domain.governance import Register, Ungoverned
from tests.support import governed
from tests.support.governed import KEYS, RECIPIENT, register

DAY = dt.date.fromisoformat
STATISTICS, SPELLS, ATTENDANCES = "ae_monthly/statistics", "apc_spells/patients", "ecds_attendances/patients"


def ended(**row: Any) -> Register:
    """A register in which the emergency has ended, the row changed."""
    return register(lambda records: records["policy_events"]["events"].append(governed.end(**row)))


@pytest.mark.parametrize(
    ("row", "covers"),
    [
        ({}, [STATISTICS, SPELLS, ATTENDANCES]),
        ({"agreements": ["patients"]}, [SPELLS, ATTENDANCES]),
        ({"feeds": ["apc_spells"]}, [SPELLS]),
        ({"agreements": ["patients"], "feeds": ["ecds_attendances"]}, [ATTENDANCES]),
        ({"feeds": ["apc_spells"], "from": "2020-01-01", "to": "2020-12-31"}, [f"{SPELLS}/2020-01-01..2020-12-31"]),
        ({"feeds": ["apc_spells"], "to": "2020-12-31"}, [f"{SPELLS}/..2020-12-31"]),
    ],
    ids=str,
)
def test_an_end_covers_what_its_policy_sets_off_unless_it_says_less(row: dict[str, Any], covers: list[str]) -> None:
    [end] = ended(**row).ends(DAY("2021-07-01"))
    assert [str(dataset) for dataset in end.datasets] == covers
    assert (end.id, end.date, end.requested_by) == ("E9", DAY("2021-07-01"), "A. Officer")
    told = end.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    assert told == governed.end(**row), "as JSON an end is its row"


def test_an_end_comes_on_its_day_and_only_when_it_is_known() -> None:
    made = ended(known_from="2021-07-05")
    assert [len(made.ends(DAY(day))) for day in ("2021-06-30", "2021-07-01", "2021-07-04", "2021-07-05")] == [
        0,
        0,
        0,
        1,
    ]
    assert len(made.ends(DAY("2021-07-01"), known_on=DAY("2021-07-05"))) == 1


def test_another_policy_ends_nothing_of_ours() -> None:
    def other(records: dict[str, Any]) -> None:
        records["policy_events"]["policies"].append({"id": "notices", "title": "Notices"})
        records["policy_events"]["events"].append(governed.end(policy="notices"))

    [end] = register(other).ends(DAY("2021-07-01"))
    assert end.datasets == ()


def test_nothing_more_is_taken_in_of_what_ended_as_a_whole() -> None:
    feed = catalogue.feed("apc_spells").model_copy(update={"agreement": "patients"})
    statistics = catalogue.feed("ae_monthly").model_copy(update={"agreement": "statistics"})
    made = ended()
    made.require_open(feed, DAY("2021-06-30"))
    with pytest.raises(Ungoverned) as refusal:
        made.require_open(feed, DAY("2021-07-01"))
    assert str(refusal.value) == (
        "feed apc_spells: agreement patients ended on 2021-07-01 (event E9): nothing more is taken in"
    )
    made.require_open(statistics, DAY("2021-07-01"))  # what is retained goes on
    for of_a_period in (ended(**{"from": "2020-01-01"}), ended(feeds=["ecds_attendances"])):
        of_a_period.require_open(feed, DAY("2021-07-01"))


def test_a_hold_lasts_until_the_day_of_its_release() -> None:
    def hold(records: dict[str, Any]) -> None:
        row = {"id": "H1", "agreement": "patients", "feeds": ["apc_spells"], "from": "2021-05-01"}
        why = {"released": "2021-06-01", "authority": "Chair", "reference": "Notice", "reason": "Evidence"}
        records["holds"]["holds"] = [{**row, **why}]

    made = register(hold)
    days = ("2021-04-30", "2021-05-01", "2021-05-31", "2021-06-01")
    assert [len(made.holds_on("apc_spells", "patients", DAY(day))) for day in days] == [0, 1, 1, 0]
    assert made.holds_on("ecds_attendances", "patients", DAY("2021-05-15")) == []
    assert made.holds_on("apc_spells", "statistics", DAY("2021-05-15")) == []


def test_an_approver_is_one_in_office_and_may_change_their_key() -> None:
    def approvers(records: dict[str, Any]) -> None:
        row = {"id": "jane", "name": "Jane", "role": "Guardian", "public_key": KEYS[0]}
        later = {**row, "public_key": KEYS[1], "from": "2021-01-01"}
        records["approvers"]["approvers"] = [{**row, "from": "2020-01-01", "to": "2020-12-31"}, later]

    made = register(approvers)
    found = [made.approver("jane", DAY(day)) for day in ("2019-12-31", "2020-12-31", "2021-01-01")]
    assert [one and one.public_key for one in found] == [None, KEYS[0], KEYS[1]]
    assert made.approver("joe", DAY("2021-01-01")) is None


@pytest.mark.parametrize(
    ("day", "known_on", "warning"),
    [
        ("2020-08-05", None, None),  # extended on 29 July
        ("2020-08-04", "2020-07-28", None),  # 57 days
        (
            "2020-08-05",
            "2020-07-28",
            "legal basis notices of agreement patients ends on 2020-09-30, in 56 days: then nothing is taken in or "
            "released (apc_spells, ecds_attendances)",
        ),
        ("2021-02-03", None, "legal basis notices of agreement patients ends on 2021-03-31, in 56 days: then nothing "),
        (
            "2021-02-15",
            None,
            "legal basis notices of agreement patients ends on 2021-03-31, in 44 days: then approval ",
        ),
        ("2021-03-31", None, "legal basis notices of agreement patients ends on 2021-03-31, in 0 days: then approval "),
        ("2021-04-01", None, None),
        (
            "2021-11-06",
            None,
            "legal basis approval of agreement patients ends on 2021-12-31, in 55 days: then nothing ",
        ),
    ],
)
def test_eight_weeks_before_a_basis_lapses_there_is_a_warning(
    day: str, known_on: str | None, warning: str | None
) -> None:
    """56 days, the day itself too, and what follows it as far as that is known."""
    lapsing = [str(one) for one in register().lapsing(DAY(day), DAY(known_on) if known_on else None)]
    assert len(lapsing) == (1 if warning else 0)
    assert all(line.startswith(str(warning)) for line in lapsing)


def test_what_has_ended_is_not_warned_of() -> None:
    assert ended(date="2021-02-01", known_from="2021-02-01").lapsing(DAY("2021-03-01")) == []


def test_a_return_says_to_whom() -> None:
    where = {"recipient": RECIPIENT, "deliver_to": "sftp://trust.test/in", "receipt_key": KEYS[0]}
    disposition = {"action": "return", "trigger": {"policy": "emergency"}, "deadline_days": 30, "return_to": where}
    made = register(lambda records: records["agreements"]["agreements"][1].update(disposition=disposition))
    assert made.agreements[1].disposition.return_to.model_dump() == where
