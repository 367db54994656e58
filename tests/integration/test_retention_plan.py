"""Plans of partial ends: what they take, what stands in their way, what makes approvals void. None is executed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.ending import LENT, PERSONS, Ending, file_of_tests

FEED = "covid_tests"
MARCH, APRIL = dt.date(2020, 3, 31), dt.date(2020, 4, 30)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Ending:
    """One feed under two agreements: of the first a file of March, one of April and one of both."""
    place = tmp_path_factory.mktemp("plans")
    held = Ending.begin(place / "store")
    received = {
        "march": (PERSONS, (MARCH,)),
        "april": (PERSONS, (APRIL,)),
        "both": (PERSONS, (MARCH, APRIL)),
        "lent": (LENT, (MARCH,)),
    }
    for name, (agreement, days) in received.items():
        held.run("receive", FEED, str(file_of_tests(place, name, *days)), "--agreement", agreement)
    return held


def planned(one: Ending, **row: Any) -> dict[str, Any]:
    """The plan of an end that covers what `row` says."""
    one.end(**row)
    return one.plan()


def taken(plan: dict[str, Any]) -> dict[str, int]:
    """How many files go, by dataset, of those that have any."""
    return {dataset["dataset"]: len(dataset["batches"]) for dataset in plan["datasets"] if dataset["batches"]}


PERIOD = {"agreements": [PERSONS], "feeds": [FEED], "from": dt.date(2020, 3, 1), "to": MARCH}
PARTS: dict[str, tuple[dict[str, Any], dict[str, int], int]] = {
    "everything": ({}, {f"{FEED}/{PERSONS}": 3, f"{FEED}/{LENT}": 1}, 0),
    "one agreement of two": ({"agreements": [LENT]}, {f"{FEED}/{LENT}": 1}, 0),
    "another feed": ({"feeds": ["apc_spells"]}, {}, 0),
    "one month, a file across": (PERIOD, {f"{FEED}/{PERSONS}/2020-03-01..2020-03-31": 1}, 1),
    "one month, whole files": (
        PERIOD | {"whole_batches": True},
        {f"{FEED}/{PERSONS}/2020-03-01..2020-03-31": 2},
        0,
    ),
}


@pytest.mark.parametrize(("row", "goes", "in_the_way"), PARTS.values(), ids=PARTS)
def test_an_end_takes_its_part(one: Ending, row: dict[str, Any], goes: dict[str, int], in_the_way: int) -> None:
    """And a file that holds other days too stands in its way, unless it is said to go whole."""
    plan = planned(one, **row)
    assert taken(plan) == goes and len(plan["blocked"]) == in_the_way
    keys = [key for dataset in plan["datasets"] for key in dataset["keys"]]
    assert sum(key.startswith("batch.") for key in keys) == sum(goes.values())
    # The key of the feed goes with its last file, never with a part.
    wrapping = {f"feed.{dataset.replace('/', '.')}" for dataset in goes if dataset.count("/") == 1}
    assert {key for key in keys if key.startswith("feed.")} == wrapping
    # Persons are known by one key for all agreements: it goes when nothing of persons stays.
    assert ("pseudonym.1" in plan["keys"]) == (sum(goes.values()) == 4)
    if plan["blocked"]:
        assert "holds other days too" in one.run("retention", "approve", plan["plan"], "--as", "jane.doe", "--key",
                                                str(one.governance.parent / "jane.doe.pem"), code=5)  # fmt: skip


def test_a_plan_says_which_columns_are_lost(one: Ending) -> None:
    """Of marts that need the feed beside others; of a part of a feed, that rows are lost."""
    whole = {loss["mart"]: loss["columns"] for loss in planned(one)["losses"]}
    assert whole["occupancy_hourly"] == ["covid_occupied_beds"] and "hcai_definite" in whole["admissions_daily"]
    assert "ae_waiting_times_daily" not in whole
    part = planned(one, agreements=[LENT])["losses"]
    assert part and {str(loss["columns"]) for loss in part} == {"rows of the dataset"}
    plan = one.plan()["plan"]
    key = str(one.governance.parent / "jane.doe.pem")
    refused = one.run("retention", "approve", plan, "--as", "jane.doe", "--key", key, code=5)
    assert "--accept-losses" in refused


def test_a_hold_keeps_its_dataset_by_name(one: Ending) -> None:
    """What it covers stays until it is released, the rest goes; and the plan without it is another."""
    path = one.governance / "holds.yaml"
    before = path.read_text()
    plan = planned(one)["plan"]
    hold = {
        "id": "inquiry-1", "agreement": PERSONS, "feeds": [FEED], "from": dt.date(2026, 1, 1),
        "authority": "The inquiry", "reference": "Notice 1", "reason": "Evidence",
    }  # fmt: skip
    path.write_text(yaml.safe_dump({"holds": [hold]}))
    held = one.plan()
    assert held["plan"] != plan and held["holds"] == [{"dataset": f"{FEED}/{PERSONS}", "hold": "inquiry-1"}]
    assert taken(held) == {f"{FEED}/{LENT}": 1} and not held["blocked"]
    assert {"what": f"{FEED}/{PERSONS}", "basis": "hold inquiry-1: The inquiry, Notice 1"} in held["remains"]
    alone = planned(one, agreements=[PERSONS], feeds=[FEED])
    assert alone["blocked"] == ["all that ended is held: inquiry-1"]
    one.end()
    path.write_text(yaml.safe_dump({"holds": [hold | {"released": dt.date(2026, 6, 1)}]}))
    assert one.plan()["plan"] == plan
    path.write_text(before)


def test_approvals_are_of_one_plan(one: Ending, tmp_path: Path) -> None:
    """One file more, and both have to look again; somebody else's key and name count for nothing."""
    plan = planned(one, agreements=[LENT])["plan"]
    keys = {name: str(one.governance.parent / f"{name}.pem") for name in ("jane.doe", "john.roe")}
    refused = one.run("retention", "approve", plan, "--as", "jane.doe", "--key", keys["john.roe"], code=5)
    assert "not the key of jane.doe" in refused
    assert "no approver in office" in one.run(
        "retention", "approve", plan, "--as", "eve", "--key", keys["john.roe"], "--accept-losses", code=5
    )
    one.approve(plan)
    assert one.plan()["approved_by"] == ["jane.doe", "john.roe"]
    one.end(agreements=[LENT], day=dt.date(2027, 1, 1))
    one.run("receive", FEED, str(file_of_tests(tmp_path, "more", APRIL)), "--agreement", LENT)
    one.end(agreements=[LENT])
    assert one.plan()["plan"] != plan and one.plan()["approved_by"] == []
    assert "has changed" in one.run("retention", "execute", plan, code=5)


def test_what_was_never_received_is_in_the_way(one: Ending) -> None:
    """A file in the inbox is a copy of the data that no key closes."""
    waiting = one.store.settings.inbox / FEED / "late.csv"
    waiting.parent.mkdir(parents=True, exist_ok=True)
    waiting.write_text("x")
    assert any("inbox" in line for line in planned(one)["blocked"])
    waiting.unlink()
    assert planned(one)["blocked"] == []
