"""No governance record, no data: each record that can lack is refused, and the refusal names feed and record."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.adapters import catalogue
from pipelines.domain.feeds import Feed
from pipelines.domain.governance import Register, Ungoverned

DAY = dt.date(2021, 3, 1)
RECORDS: dict[str, Any] = {
    "purposes": [{"id": "response", "title": "Plan care"}],
    "agreements": [
        {
            "id": "statistics",
            "title": "Reuse",
            "controller": "NHS England",
            "parties": ["NHS England", "the operator"],
            "clause": "Anyone may copy",
            "purpose": "response",
            "legal_basis": "licence",
            "dpia": {"reference": "DPIA-1", "outcome": "counts only"},
            "disposition": "retain_with_basis",
        }
    ],
    "legal_bases": [
        {
            "id": "licence",
            "title": "Licence",
            "citation": "OGL",
            "intervals": [{"from": "2020-03-20", "to": "2020-09-30"}, {"from": "2021-02-10"}],
        }
    ],
}


def register(**changed: Any) -> Register:
    """The register, with facts of its one agreement changed; None takes a fact out."""
    records = copy.deepcopy(RECORDS)
    agreement = {**records["agreements"][0], **changed}
    records["agreements"] = [{name: value for name, value in agreement.items() if value is not None}]
    return Register(**records)


def feed(agreement: str | None = "statistics") -> Feed:
    """A declared feed under another agreement."""
    return catalogue.feed("ae_monthly").model_copy(update={"agreement": agreement})


def test_a_whole_record_governs() -> None:
    """Agreement and basis of the feed come back."""
    agreement, basis = register().governing(feed())
    assert (agreement.id, basis.id) == ("statistics", "licence")


@pytest.mark.parametrize(
    ("changed", "agreement", "lacks"),
    [
        ({}, None, "names no agreement"),
        ({}, "", "names no agreement"),
        ({}, "a_secret_one", "a_secret_one, which governance/agreements.yaml lacks"),
        ({"purpose": "marketing"}, "statistics", "purpose marketing, which is not listed"),
        ({"legal_basis": "good_will"}, "statistics", "good_will, which governance/legal_bases.yaml lacks"),
    ],
)
def test_what_lacks_is_named(changed: dict[str, Any], agreement: str | None, lacks: str) -> None:
    """A feed without an agreement, a purpose or a basis is refused by its name."""
    with pytest.raises(Ungoverned, match="feed ae_monthly") as refusal:
        register(**changed).governing(feed(agreement))
    assert lacks in str(refusal.value)


@pytest.mark.parametrize("fact", ["controller", "parties", "clause", "purpose", "legal_basis", "dpia", "disposition"])
def test_an_agreement_lacks_nothing(fact: str) -> None:
    """Parties, clause, disposition, DPIA and the rest: a record without one is no record."""
    with pytest.raises(ValidationError, match=fact):
        register(**{fact: None})


def test_an_agreement_has_two_parties() -> None:
    """Nobody agrees with themselves."""
    with pytest.raises(ValidationError, match="parties"):
        register(parties=["the operator"])


@pytest.mark.parametrize(
    ("day", "in_force"),
    [
        (dt.date(2020, 3, 19), False),
        (dt.date(2020, 3, 20), True),
        (dt.date(2020, 9, 30), True),
        (dt.date(2020, 10, 1), False),
        (dt.date(2021, 2, 9), False),
        (dt.date(2021, 2, 10), True),
        (dt.date(2099, 1, 1), True),
    ],
    ids=str,
)
def test_a_basis_holds_from_its_first_to_its_last_day(day: dt.date, in_force: bool) -> None:
    """Both ends are in; a gap between two intervals is out; no end is open-ended."""
    if in_force:
        assert register().require_in_force(feed(), day).id == "statistics"
    else:
        with pytest.raises(Ungoverned, match=f"feed ae_monthly: legal basis licence is not in force on {day}"):
            register().require_in_force(feed(), day)


def test_every_declared_feed_is_governed_today() -> None:
    """What is delivered: each feed has its records, and they are in force."""
    assert catalogue.feeds()
    for one in catalogue.feeds().values():
        catalogue.register().require_in_force(one, dt.datetime.now(dt.UTC).date())
