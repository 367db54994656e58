"""No governance record, no data: what governs a feed on a day, as it was known, and the sentence when nothing does."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from pipelines import settings
from pipelines.adapters import catalogue
from pipelines.domain.feeds import Feed
from pipelines.domain.governance import Ungoverned
from tests.support import governed
from tests.support.governed import register

DAY = dt.date.fromisoformat


def feed(name: str = "apc_spells", agreement: str | None = "patients") -> Feed:
    """A declared feed under an agreement of the test's."""
    return catalogue.feed(name).model_copy(update={"agreement": agreement})


def test_a_whole_record_governs() -> None:
    """Agreement and bases of the feed come back, the preferred first."""
    agreement, bases = register().governing(feed())
    assert (agreement.id, [basis.id for basis in bases]) == ("patients", ["notices", "approval"])


@pytest.mark.parametrize(
    ("named", "given", "sentence"),
    [
        (None, None, "feed apc_spells names no agreement: add one to its defs.yaml and governance/agreements.yaml"),
        ("", None, "feed apc_spells names no agreement: add one to its defs.yaml and governance/agreements.yaml"),
        ("secret", None, "feed apc_spells names agreement secret, which governance/agreements.yaml lacks"),
        ("patients", "secret", "feed apc_spells names agreement secret, which governance/agreements.yaml lacks"),
        (
            "patients",
            "statistics",
            "feed apc_spells is not covered by agreement statistics: governance/agreements.yaml does not list "
            "apc_spells in its datasets",
        ),
    ],
)
def test_what_lacks_is_named(named: str | None, given: str | None, sentence: str) -> None:
    """A feed without an agreement, with an unknown one, or with one that does not list it."""
    with pytest.raises(Ungoverned) as refusal:
        register().governing(feed(agreement=named), given)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("day", "basis"),
    [
        ("2020-03-19", None),
        ("2020-03-20", "notices"),
        ("2020-09-30", "notices"),
        ("2020-10-01", "notices"),  # extended in time
        ("2021-03-31", "notices"),  # both are in force: the first named one governs
        ("2021-04-01", "approval"),
        ("2021-12-31", "approval"),
        ("2022-01-01", None),
    ],
)
def test_the_first_basis_in_force_governs(day: str, basis: str | None) -> None:
    """From its first to its last day, both in; in the order in which the agreement names them."""
    if basis:
        agreement, found = register().require_in_force(feed(), DAY(day))
        assert (agreement.id, found.id) == ("patients", basis)
        return
    assert register().in_force(feed(), DAY(day)) is None
    with pytest.raises(Ungoverned) as refusal:
        register().require_in_force(feed(), DAY(day))
    assert str(refusal.value) == (
        f"feed apc_spells: legal basis notices or approval is not in force on {day}: nothing is taken in or released"
    )


@pytest.mark.parametrize(
    ("day", "known_on", "basis"),
    [
        ("2020-11-01", "2020-07-28", None),  # the extension was not known yet
        ("2020-11-01", "2020-07-29", "notices"),
        ("2021-04-01", "2021-02-14", None),
        ("2021-04-01", "2021-02-15", "approval"),
        ("2020-03-20", "2020-03-19", None),
    ],
)
def test_what_was_not_known_does_not_govern(day: str, known_on: str, basis: str | None) -> None:
    found = register().in_force(feed(), DAY(day), known_on=DAY(known_on))
    assert (found.id if found else None) == basis


@pytest.mark.parametrize(
    ("known_on", "end"),
    [
        ("2020-06-01", "2020-09-30"),
        ("2020-07-28", "2020-09-30"),
        ("2020-07-29", "2021-03-31"),
        ("2021-02-09", "2021-03-31"),
        ("2021-02-10", "2021-09-30"),
        ("2021-09-10", "2022-03-31"),
        ("2022-02-10", "2022-06-30"),
        ("2026-01-01", "2022-06-30"),
    ],
)
def test_the_notices_as_they_were_known(known_on: str, end: str) -> None:
    """What is delivered: on 1 June 2020 the store believed that the notices end on 30 September 2020."""
    believed = catalogue.register().believed_end("copi_regulation_3_4", DAY("2020-06-01"), DAY(known_on))
    assert believed == DAY(end)


def test_an_end_believed_stops_at_a_gap_and_an_open_basis_has_none() -> None:
    def gap(records: dict[str, Any]) -> None:
        records["legal_bases"]["legal_bases"][1]["intervals"][1]["from"] = "2020-10-02"

    assert register(gap).believed_end("notices", DAY("2020-08-01")) == DAY("2020-09-30")
    assert register().believed_end("licence", DAY("2020-08-01")) is None
    with pytest.raises(Ungoverned, match="legal basis notices is not in force on 2022-01-01"):
        register().believed_end("notices", DAY("2022-01-01"))


def test_a_basis_is_cut_short_by_a_new_row() -> None:
    """The same first day, another last one: it counts from the day on which it is known, and history stays."""

    def cut(records: dict[str, Any]) -> None:
        row = {"from": "2020-10-01", "to": "2020-12-24", "known_from": "2020-12-01"}
        records["legal_bases"]["legal_bases"][1]["intervals"].append(row)

    made = register(cut)
    assert made.believed_end("notices", DAY("2020-11-30")) == DAY("2021-03-31")
    assert made.believed_end("notices", DAY("2020-12-01")) == DAY("2020-12-24")
    assert made.in_force(feed(), DAY("2020-12-25")) is None


@pytest.mark.parametrize(
    ("day", "basis"),
    [
        ("2020-03-19", "copi_regulation_5"),
        ("2020-03-20", "copi_regulation_3_4"),
        ("2020-10-01", "copi_regulation_3_4"),
        ("2022-06-30", "copi_regulation_3_4"),
        ("2022-07-01", "copi_regulation_5"),
    ],
)
def test_opt_outs_apply_once_the_notices_have_ended(day: str, basis: str) -> None:
    """What is delivered: under Regulation 3(4) opt-outs do not apply, under Regulation 5, which follows, they do."""
    agreements = (
        register().agreements[1].model_copy(update={"legal_bases": ("copi_regulation_3_4", "copi_regulation_5")})
    )
    own = catalogue.register().model_copy(update={"agreements": (agreements,)})
    found = own.governs(feed(), DAY(day))
    assert (found.basis, found.opt_outs_apply) == (basis, basis == "copi_regulation_5")


def test_the_strictest_rule_on_opt_outs_is_that_of_all_person_level_datasets() -> None:
    """One feed under two agreements, one of them with opt-outs: then they apply to every person-level dataset."""

    def second(records: dict[str, Any]) -> None:
        strict = {**records["agreements"]["agreements"][1], "id": "research", "legal_bases": ["approval"]}
        strict["datasets"] = ["ae_monthly", "apc_spells"]
        records["agreements"]["agreements"].append(strict)

    made, day = register(second), DAY("2021-03-01")
    spells, attendances, counts = feed(), feed("ecds_attendances"), feed("ae_monthly", "statistics")
    lenient = [(spells, "patients"), (attendances, "patients"), (counts, "statistics")]
    assert not made.opt_outs_apply(lenient, day)
    assert not made.opt_outs_apply([*lenient, (counts, "research")], day)  # no records of persons
    strictest = made.governs_release([*lenient, (spells, "research")], day)
    assert [(one.feed, one.agreement, one.basis, one.opt_outs_apply) for one in strictest] == [
        ("ae_monthly", "statistics", "licence", False),
        ("apc_spells", "patients", "notices", True),
        ("apc_spells", "research", "approval", True),
        ("ecds_attendances", "patients", "notices", True),
    ]


def test_an_agreement_may_ask_for_opt_outs_whatever_the_basis_says() -> None:
    made = register(lambda records: records["agreements"]["agreements"][1].update(opt_outs="always"))
    assert made.governs(feed(), DAY("2020-04-01")).opt_outs_apply


def test_no_release_while_a_dataset_has_no_basis() -> None:
    """Of those in it: what nobody sent does not count."""
    made, day = register(), DAY("2022-01-01")
    assert made.governs_release([(feed("ae_monthly", "statistics"), "statistics")], day)[0].as_record() == {
        "feed": "ae_monthly",
        "agreement": "statistics",
        "basis": "licence",
        "basis_ends_as_known": None,
        "opt_outs_apply": False,
        "dpia": "DPIA-1",
        "disposition": "retain",
    }
    with pytest.raises(Ungoverned, match="feed apc_spells: legal basis notices or approval is not in force"):
        made.governs_release([(feed("ae_monthly", "statistics"), "statistics"), (feed(), "patients")], day)


def test_the_demonstration_takes_test_numbers_alone() -> None:
    """What is delivered: invented patients are held on a basis of their own and destroyed in the end."""
    one = feed(agreement="synthetic_person_level")
    agreement, basis = catalogue.register().require_in_force(one, settings.today())
    told = (basis.test_numbers_only, basis.opt_outs_apply, agreement.disposition.action)
    assert told == (True, False, "destroy")


def test_every_declared_feed_is_governed_today_and_nothing_has_ended() -> None:
    """What is delivered: each feed has its records, they are in force, and nobody can approve or has ended anything."""
    assert catalogue.feeds()
    for one in catalogue.feeds().values():
        catalogue.register().require_open(one, settings.today())
    assert (catalogue.register().ends(DAY("2099-01-01")), catalogue.register().approvers) == ([], ())


def test_the_folder_of_records_can_be_another_and_is_read_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASTORE_GOVERNANCE", governed.folder(tmp_path / "records"))
    assert catalogue.register().backups == ()
    backup = {"id": "tape", "location": "Vault", "of": "keys", "keeper": "Us", "made_at": "2022-06-01"}
    governed.folder(tmp_path / "records", lambda records: records["backups"].update(backups=[backup]))
    assert [one.id for one in catalogue.register().backups] == ["tape"]
    (tmp_path / "records" / "holds.yaml").write_text("holds: [\n")
    with pytest.raises(Ungoverned, match=r"governance/holds.yaml, line 2: not YAML"):
        catalogue.register()
    (tmp_path / "records" / "holds.yaml").unlink()
    with pytest.raises(Ungoverned, match=r"governance/holds.yaml is not in .*records"):
        catalogue.register()
