"""Each gate rule is proved by a fault: one edit of a good file that breaks this rule and no other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from data.synthetic import Fault, load_faults
from pipelines import settings
from pipelines.adapters import catalogue
from pipelines.adapters.expectations import load_suite
from pipelines.adapters.landing import Held, Landing
from pipelines.intake import receive
from tests.support.stores import Store
from tests.support.supplied import england

FAULTS = load_faults()
# Errors that providers make are planted among England's people; these rows are kept, with a warning.
PLANTED = {"ecds_attendances.times_within_validity"}


@pytest.fixture(scope="module")
def store(built_datastore: Store, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store that holds every good file."""
    return built_datastore.copy(tmp_path_factory.mktemp("faults") / "store")


@pytest.fixture(scope="module")
def judged(store: Store, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Held]:
    """Every faulty file, by its rule, received after the good ones under the name of the file that it was made from.

    Those that may be let in come last, so that none of them is the publication before of another fault.
    """
    held = {}
    for fault in sorted(FAULTS, key=lambda fault: fault.verdict == "accepted"):
        path = tmp_path_factory.mktemp("fault") / fault.base
        shutil.copyfile(england() / "faults" / fault.file_name, path)
        [arrival] = receive(store.settings, catalogue.feeds()[fault.feed], [str(path)])
        assert not arrival.already_held, fault.rule
        found = Landing(store.settings).find(str(arrival.sha256))
        assert found is not None
        held[fault.rule] = found
    return held


def _broken(held: Held) -> set[str]:
    return {check["check_id"] for check in held.checks["checks"] if not check["passed"]}


def test_the_good_files_break_no_rule(store: Store, judged: dict[str, Held]) -> None:
    """Every rule of its feed was judged on every good file, and kept; but for what is planted, which is found."""
    faulty = {held.sha256 for held in judged.values()}
    good = [held for held in Landing(store.settings).batches() if held.sha256 not in faulty]
    assert len(good) == len([path for feed in catalogue.feeds() for path in (england() / feed).iterdir()])
    for held in good:
        assert held.verdict == "accepted", held.reasons
        assert {check["check_id"] for check in held.checks["checks"]} == _rules(catalogue.suite_path(held.feed))
        assert _broken(held) <= PLANTED, held.manifest["file_name"]
    assert set().union(*map(_broken, good)) == PLANTED


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.rule)
def test_a_fault_breaks_its_own_rule_only(judged: dict[str, Held], fault: Fault) -> None:
    """An error quarantines the batch and says which rule; a warning lets it in and is recorded."""
    held = judged[fault.rule]
    assert (held.verdict, held.checks and _broken(held)) == (fault.verdict, {fault.rule}), held.reasons
    severity = next(check["severity"] for check in held.checks["checks"] if check["check_id"] == fault.rule)
    assert severity == ("error" if fault.verdict == "quarantined" else "warn")
    assert all(fault.rule in reason for reason in held.reasons)
    assert bool(held.reasons) == (fault.verdict == "quarantined")


def test_no_rule_lacks_a_fault() -> None:
    """The rules of the landing suites are the faults' names, no more and no fewer."""
    suites = sorted((settings.EXPECTATIONS / "landing").glob("*.yaml"))
    assert {path.stem for path in suites} == set(catalogue.feeds())
    assert set().union(*map(_rules, suites)) == {fault.rule for fault in FAULTS}


def _rules(path: Path) -> set[str]:
    return {rule.id for rule in load_suite(path).rules}
