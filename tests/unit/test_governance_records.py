"""Records that are not whole are refused in one line that names file, record and field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelines.domain.governance import Ungoverned, read
from tests.support import governed
from tests.support.governed import FEEDS, KEYS, RECIPIENT

AGREEMENTS = "governance/agreements.yaml: agreement patients: "
BASES = "governance/legal_bases.yaml: legal basis notices: "
EVENTS = "governance/policy_events.yaml: event E9: "
RETURN_TO = {"recipient": RECIPIENT, "deliver_to": "sftp://trust.test/in", "receipt_key": KEYS[0]}
DESTROY = {"action": "destroy", "trigger": {"policy": "emergency"}, "deadline_days": 30}
HOLD = {"id": "H1", "agreement": "patients", "from": "2021-05-01", "authority": "A", "reference": "R", "reason": "Why"}
JANE = {"id": "jane", "name": "Jane", "role": "Guardian", "public_key": KEYS[0], "from": "2020-01-01"}

Change = Callable[[dict[str, Any]], object]


def agreement(**facts: Any) -> Change:
    """Facts of the agreement on patients changed; None takes one out."""

    def change(records: dict[str, Any]) -> None:
        found = records["agreements"]["agreements"][1]
        found.update(facts)
        for name in [name for name, value in facts.items() if value is None]:
            del found[name]

    return change


def disposition(**facts: Any) -> Change:
    return agreement(disposition=facts)


def interval(place: int = 0, **facts: Any) -> Change:
    """Facts of an interval of the notices changed; None takes one out."""

    def change(records: dict[str, Any]) -> None:
        found = records["legal_bases"]["legal_bases"][1]["intervals"][place]
        found.update(facts)
        for name in [name for name, value in facts.items() if value is None]:
            del found[name]

    return change


def ended(**row: Any) -> Change:
    return lambda records: records["policy_events"]["events"].append(
        {name: value for name, value in governed.end(**row).items() if value is not None}
    )


def added(name: str, *rows: dict[str, Any]) -> Change:
    return lambda records: records[name].update({name: list(rows)})


@pytest.mark.parametrize(
    ("change", "line"),
    [
        *[
            (agreement(**{fact: None}), f"{AGREEMENTS}lacks {fact}")
            for fact in ("controller", "parties", "clause", "purpose", "datasets", "legal_bases", "dpia", "disposition")
        ],
        (agreement(dpia={"outcome": "none"}), f"{AGREEMENTS}dpia: lacks reference"),
        (agreement(dpia={"reference": " ", "outcome": "none"}), f"{AGREEMENTS}dpia: reference: string should have at"),
        (agreement(parties=["the operator"]), f"{AGREEMENTS}parties: tuple should have at least 2 items"),
        (agreement(purpse="response"), f"{AGREEMENTS}purpse is no field of it"),
        (agreement(purpose="marketing"), f"{AGREEMENTS}purpose: marketing is not among the purposes"),
        (agreement(datasets=["apc_spels"]), f"{AGREEMENTS}datasets: apc_spels is no declared feed"),
        (agreement(datasets=["apc_spells"] * 2), f"{AGREEMENTS}datasets: apc_spells stands there twice"),
        (agreement(legal_bases=["good_will"]), f"{AGREEMENTS}legal_bases: good_will is no legal basis"),
        (agreement(id="statistics"), "governance/agreements.yaml: agreement statistics: id is given twice"),
        (disposition(action="retain"), f"{AGREEMENTS}disposition: basis: data that is retained, and only that, names"),
        (disposition(action="retain", basis="will"), f"{AGREEMENTS}disposition: basis: will is no legal basis"),
        (disposition(**{**DESTROY, "basis": "licence"}), f"{AGREEMENTS}disposition: basis: data that is retained, and"),
        (disposition(**{**DESTROY, "action": "return"}), f"{AGREEMENTS}disposition: return_to: data that is returned"),
        (disposition(**DESTROY, return_to=RETURN_TO), f"{AGREEMENTS}disposition: return_to: data that is returned"),
        (disposition(action="destroy", deadline_days=30), f"{AGREEMENTS}disposition: trigger: to destroy, name the"),
        (disposition(action="destroy", trigger={"policy": "emergency"}), f"{AGREEMENTS}disposition: deadline_days: to"),
        (
            disposition(**{**DESTROY, "trigger": {"policy": "x"}}),
            f"{AGREEMENTS}disposition: trigger: x is no policy of",
        ),
        (
            disposition(**{**DESTROY, "action": "return"}, return_to={**RETURN_TO, "receipt_key": "c2hvcnQ="}),
            f"{AGREEMENTS}disposition: return_to: receipt_key: holds 5 bytes, an Ed25519 public key has 32",
        ),
        (
            disposition(**{**DESTROY, "action": "return"}, return_to={**RETURN_TO, "recipient": "jane"}),
            f"{AGREEMENTS}disposition: return_to: recipient: string should match pattern",
        ),
        (interval(known_from=None), f"{BASES}interval 2020-03-20: lacks known_from"),
        (interval(to="2020-03-19"), f"{BASES}interval 2020-03-20: to 2020-03-19 lies before from 2020-03-20"),
        (
            interval(1, **{"from": "2020-03-20", "known_from": "2020-03-20"}),
            f"{BASES}intervals: two rows from 2020-03-20 are known from 2020-03-20",
        ),
        (ended(policy="war"), f"{EVENTS}policy: war is not among the policies"),
        (ended(id="E0"), "governance/policy_events.yaml: event E0: id is given twice"),
        (ended(authority=None), f"{EVENTS}lacks authority"),
        (ended(known_from=None), f"{EVENTS}lacks known_from"),
        (ended(requested_by=None), f"{EVENTS}requested_by: an end, and only an end, says who asked for it"),
        (ended(agreements=["secret"]), f"{EVENTS}agreements: secret is no agreement"),
        (ended(agreements=["patients"], feeds=["ae_monthly"]), f"{EVENTS}feeds: ae_monthly is no dataset of its"),
        (ended(**{"from": "2021-01-02", "to": "2021-01-01"}), f"{EVENTS}to 2021-01-01 lies before from 2021-01-02"),
        (ended(kind="extended", requested_by=None), f"{EVENTS}until: say to which day"),
        (ended(kind="level", requested_by=None, feeds=["apc_spells"]), f"{EVENTS}agreements, feeds, from, to and"),
        (added("holds", {**HOLD, "agreement": "x"}), "governance/holds.yaml: hold H1: agreement: x is no agreement"),
        (
            added("holds", {**HOLD, "released": "2021-04-30"}),
            "governance/holds.yaml: hold H1: released 2021-04-30 lies",
        ),
        (
            added("approvers", {**JANE, "public_key": "!"}),
            "governance/approvers.yaml: approver jane: public_key: is not",
        ),
        (
            added("approvers", JANE, {**JANE, "id": "joe"}),
            "governance/approvers.yaml: approver joe: public_key is that of jane: each has their own",
        ),
        (
            added("approvers", {**JANE, "to": "2020-12-31"}, {**JANE, "public_key": KEYS[1], "from": "2020-12-31"}),
            "governance/approvers.yaml: approver jane: id is given twice for days from 2020-12-31",
        ),
        (added("backups", {"id": "tape"}), "governance/backups.yaml: backup tape: lacks location"),
        (lambda records: records.pop("backups"), "governance/backups.yaml is missing"),
        (lambda records: records.update(holds=None), "governance/holds.yaml: input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(change: Change, line: str) -> None:
    with pytest.raises(Ungoverned) as refusal:
        read(governed.records(change), FEEDS)
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)


def test_how_much_more_is_wrong_is_told_too() -> None:
    def change(records: dict[str, Any]) -> None:
        agreement(dpia=None, clause=None)(records)
        interval(known_from=None)(records)

    with pytest.raises(Ungoverned, match=r"agreement patients: lacks clause \(and 2 more\)"):
        read(governed.records(change), FEEDS)
