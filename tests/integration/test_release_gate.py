"""Each release rule bites on its own fault, planted in the build, and stops or warns as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import settings
from pipelines.adapters import release_gate, warehouse
from tests.support.stores import Store

FAULTS = settings.PROJECT_ROOT / "data" / "synthetic" / "faults" / "release"


def test_the_good_build_passes_every_rule(built_datastore: Store) -> None:
    assert [o.rule.id for o in release_gate.outcomes(built_datastore.settings) if not o.passed] == []


def test_what_kept_a_rule_the_last_time_is_not_judged_twice(
    built_datastore: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night in which nothing changed asks Great Expectations nothing; a rule that sees something else is judged."""
    store = built_datastore.copy(tmp_path / "store")
    here = store.settings
    assert here.release_gate.exists()

    def judge(rule: object, frame: object) -> None:
        raise AssertionError(f"judged again: {rule}")

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.adapters.expectations._validate", judge)
        again = release_gate.outcomes(here)
    assert [one.rule.id for one in again] == [rule.id for rule in release_gate.suite().rules]
    assert all(one.passed and one.checked for one in again)
    with warehouse.build(here) as connection:
        connection.execute("UPDATE build.marts.ae_performance_monthly SET within_four_hours_rate = 2")
    for _ in range(2):  # what broke a rule is never remembered as having kept it
        assert [one.rule.id for one in release_gate.outcomes(here) if not one.passed] == ["marts.rates_are_shares"]


@pytest.mark.parametrize("fault", sorted(FAULTS.glob("*.sql")), ids=lambda path: path.stem)
def test_a_fault_in_the_build_breaks_its_own_rule_only(built_datastore: Store, fault: Path) -> None:
    here = built_datastore.settings
    with warehouse.build(here) as connection:
        connection.execute("BEGIN")
        connection.execute(fault.read_text())
        connection.execute("USE build")
        broken = {o.rule.id for o in release_gate.judged(connection) if not o.passed}
        connection.execute("ROLLBACK")
    assert broken == {fault.stem}
