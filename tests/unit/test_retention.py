"""The rules of an end: which batches a period takes, whose approval counts, what a receipt has to say."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.retention import (
    approvals_lacking,
    dataset_id,
    digest,
    is_signed,
    place_in_period,
    public_text,
    receipt_faults,
    sign,
)

JANE, JOHN, MARY = (Ed25519PrivateKey.generate() for _ in range(3))
KEYS = {"jane": public_text(JANE), "john": public_text(JOHN), "mary": public_text(MARY)}
PLAN: dict[str, Any] = {"end": {"id": "E", "requested_by": "ann"}, "losses": [], "datasets": []}
MARCH = (dt.date(2020, 3, 1), dt.date(2020, 3, 31))


@pytest.mark.parametrize(
    ("start", "end", "place"),
    [
        ("2020-03-01", "2020-03-31", "within"),
        ("2020-03-31", "2020-03-31", "within"),
        ("2020-02-29", "2020-03-01", "across"),
        ("2020-03-31", "2020-04-01", "across"),
        ("2020-01-01", "2020-12-31", "across"),
        ("2020-02-01", "2020-02-29", "outside"),
        ("2020-04-01", "2020-04-30", "outside"),
        (None, None, "within"),  # never read: it counts by its day of receipt
    ],
)
def test_a_batch_lies_in_a_period_or_not(start: str | None, end: str | None, place: str) -> None:
    """Both ends of the period are in it; one that has other days too is neither."""
    manifest = {"period_start": start, "period_end": end, "received_at": "2020-03-15T10:00:00+00:00"}
    assert place_in_period(manifest, *MARCH) == place
    assert place_in_period(manifest, None, None) == "within"


def approval(name: str, key: Ed25519PrivateKey, plan: dict[str, Any] = PLAN, losses: bool = True) -> dict[str, Any]:
    """An approval of a plan."""
    return {"approver": name, "accepts_losses": losses, "signature": sign(key, digest(plan))}


OTHER = {**PLAN, "datasets": [{"batches": []}]}
LOSING = {**PLAN, "losses": [{"mart": "admissions_daily"}]}
CASES = {
    "nobody": (PLAN, [], "0 of 2"),
    "one": (PLAN, [approval("jane", JANE)], "1 of 2"),
    "the same twice": (PLAN, [approval("jane", JANE), approval("jane", JANE)], "1 of 2"),
    "another's key": (PLAN, [approval("jane", JANE), approval("john", JANE)], "1 of 2"),
    "a stranger": (PLAN, [approval("jane", JANE), approval("eve", JOHN)], "1 of 2"),
    "another plan": (PLAN, [approval("jane", JANE), approval("john", JOHN, OTHER)], "1 of 2"),
    "who requested": (
        {**PLAN, "end": {"id": "E", "requested_by": "jane"}},
        [approval(name, key, {**PLAN, "end": {"id": "E", "requested_by": "jane"}}) for name, key in
         (("jane", JANE), ("john", JOHN))],
        "1 of 2",
    ),
    "who executes": (PLAN, [approval("jane", JANE), approval("mary", MARY)], "1 of 2"),
    "losses not accepted": (LOSING, [approval("jane", JANE, LOSING), approval("john", JOHN, LOSING, False)], "1 of 2"),
}  # fmt: skip


@pytest.mark.parametrize(("plan", "given_ones", "told"), CASES.values(), ids=CASES)
def test_approvals_that_do_not_count(plan: dict[str, Any], given_ones: list[dict[str, Any]], told: str) -> None:
    """Two different people in office, for this very plan, by their own keys, who neither asked nor execute."""
    assert approvals_lacking(plan, given_ones, KEYS, executed_by="mary")[0].startswith(told)


def test_two_approvals_are_enough() -> None:
    """And a third that does not count takes nothing from them."""
    good = [approval("jane", JANE), approval("john", JOHN)]
    assert approvals_lacking(PLAN, good, KEYS, "operator") == []
    assert approvals_lacking(PLAN, [*good, approval("eve", MARY)], KEYS, "operator") == []


RECEIPT = {"agreement": "a", "package_sha256": "0f", "received_at": "2022-07-01T09:00:00Z", "received_by": "Office"}


@pytest.mark.parametrize("changed", [{}, {"agreement": "b"}, {"package_sha256": "0e"}, {"received_by": ""}, {"x": "y"}])
@pytest.mark.parametrize("signer", [JANE, JOHN])
def test_a_receipt_is_of_this_package_by_that_key(changed: dict[str, str], signer: Ed25519PrivateKey) -> None:
    """Of this agreement and package, whole, signed by the controller; to say more than is needed is no fault."""
    said = {**RECEIPT, **changed}
    receipt = {**said, "signature": sign(signer, digest({name: said[name] for name in RECEIPT}))}
    faults = receipt_faults(receipt, "a", "0f", KEYS["jane"])
    assert (faults == []) == (signer is JANE and set(changed) <= {"x"})


@given(st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.none(), st.lists(st.integers()))))
def test_a_signature_is_of_one_document(document: dict[str, Any]) -> None:
    """The order of its fields says nothing, everything else does."""
    signature = sign(JANE, digest(document))
    again = dict(reversed(list(document.items())))
    assert is_signed(KEYS["jane"], digest(again), signature)
    assert not is_signed(KEYS["jane"], digest({**document, "one more": 1}), signature)
    assert not is_signed("no key", digest(document), signature)


def test_a_dataset_says_its_period() -> None:
    """As the design writes it."""
    assert dataset_id("f", "a", None, None) == "f/a" and dataset_id("f", "a", *MARCH) == "f/a/2020-03-01..2020-03-31"
