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
from pipelines.settings import today

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
            "legal_bases": ["licence"],
            "dpia": {"reference": "DPIA-1", "outcome": "counts only"},
            "disposition": "retain_with_basis",
        }
    ],
    "legal_bases": [
        {
            "id": "licence",
            "title": "Licence",
            "citation": "OGL",
            "opt_outs_apply": False,
            "test_numbers_only": False,
            "intervals": [{"from": "2020-03-20", "to": "2020-09-30"}, {"from": "2021-02-10"}],
        },
        {
            "id": "approval",
            "title": "Approval",
            "citation": "Regulation",
            "opt_outs_apply": True,
            "test_numbers_only": False,
            "intervals": [{"from": "2020-06-01", "to": "2020-12-31"}],
        },
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
    """Agreement and bases of the feed come back, the preferred first."""
    agreement, bases = register(legal_bases=["approval", "licence"]).governing(feed())
    assert (agreement.id, [basis.id for basis in bases]) == ("statistics", ["approval", "licence"])


@pytest.mark.parametrize(
    ("changed", "agreement", "lacks"),
    [
        ({}, None, "names no agreement"),
        ({}, "", "names no agreement"),
        ({}, "a_secret_one", "a_secret_one, which governance/agreements.yaml lacks"),
        ({"purpose": "marketing"}, "statistics", "purpose marketing, which is not listed"),
        ({"legal_bases": ["licence", "good_will"]}, "statistics", "good_will, which governance/legal_bases.yaml lacks"),
    ],
)
def test_what_lacks_is_named(changed: dict[str, Any], agreement: str | None, lacks: str) -> None:
    """A feed without an agreement, a purpose or a basis is refused by its name."""
    with pytest.raises(Ungoverned, match="feed ae_monthly") as refusal:
        register(**changed).governing(feed(agreement))
    assert lacks in str(refusal.value)


@pytest.mark.parametrize("fact", ["controller", "parties", "clause", "purpose", "legal_bases", "dpia", "disposition"])
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
        assert [one.id for one in register().require_in_force(feed(), day)] == ["statistics", "licence"]
    else:
        with pytest.raises(Ungoverned, match=f"feed ae_monthly: legal basis licence is not in force on {day}"):
            register().require_in_force(feed(), day)


@pytest.mark.parametrize(
    ("day", "basis"),
    [
        (dt.date(2020, 5, 31), "licence"),  # the second named one is not in force yet
        (dt.date(2020, 6, 1), "licence"),  # both are: the first named one governs
        (dt.date(2020, 10, 1), "approval"),  # the first has a gap
        (dt.date(2021, 1, 1), None),
        (dt.date(2021, 2, 10), "licence"),
    ],
    ids=str,
)
def test_the_first_basis_in_force_governs(day: dt.date, basis: str | None) -> None:
    """In the order in which the agreement names them; when none is in force the refusal names them all."""
    both = register(legal_bases=["licence", "approval"])
    if basis:
        assert both.require_in_force(feed(), day)[1].id == basis
    else:
        with pytest.raises(Ungoverned, match=f"legal basis licence or approval is not in force on {day}"):
            both.require_in_force(feed(), day)


@pytest.mark.parametrize(
    ("day", "basis"),
    [
        (dt.date(2020, 3, 19), "copi_regulation_5"),
        (dt.date(2020, 3, 20), "copi_regulation_3_4"),
        (dt.date(2020, 10, 1), "copi_regulation_3_4"),
        (dt.date(2022, 6, 30), "copi_regulation_3_4"),
        (dt.date(2022, 7, 1), "copi_regulation_5"),
    ],
    ids=str,
)
def test_opt_outs_apply_once_the_notices_have_ended(day: dt.date, basis: str) -> None:
    """What is delivered: under Regulation 3(4) opt-outs do not apply, under Regulation 5, which follows, they do."""
    bases = catalogue.register().legal_bases
    own = register(legal_bases=["copi_regulation_3_4", "copi_regulation_5"]).model_copy(update={"legal_bases": bases})
    governing = own.require_in_force(feed(), day)[1]
    assert (governing.id, governing.opt_outs_apply) == (basis, basis == "copi_regulation_5")


def test_the_demonstration_takes_test_numbers_alone() -> None:
    """What is delivered: invented patients are held on a basis of their own and destroyed in the end."""
    one = feed("synthetic_person_level")
    agreement, basis = catalogue.register().require_in_force(one, today())
    assert (basis.test_numbers_only, basis.opt_outs_apply, agreement.disposition) == (True, False, "destroy")


def test_every_declared_feed_is_governed_today() -> None:
    """What is delivered: each feed has its records, and they are in force."""
    assert catalogue.feeds()
    for one in catalogue.feeds().values():
        catalogue.register().require_in_force(one, today())
