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
