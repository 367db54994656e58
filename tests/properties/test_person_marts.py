"""What holds for every store of person-level files: the marts are what the oracle makes of them, row for row."""

from __future__ import annotations

import datetime as dt
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import oracle
from tests.support.compiled import CompiledProject
from tests.support.person_files import SentStore, stores
from tests.support.person_rows import comparable, rows_of, sources

RECEIVED = dt.date(2021, 1, 1)
# A run builds some fifty tables; `DATASTORE_EXAMPLES` asks for more of them than a run of all tests has time for.
LAW = settings(
    deadline=None,
    max_examples=int(os.environ.get("DATASTORE_EXAMPLES", "5")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@LAW
@given(store=stores(), opt_outs_apply=st.booleans())
def test_the_marts_are_the_oracles(compiled_project: CompiledProject, store: SentStore, opt_outs_apply: bool) -> None:
    accepted = [row for sent in store.files for row in oracle.read(sent.file, RECEIVED).accepted]
    organisations = store.window.organisations
    records = oracle.records(accepted, organisations, opt_outs_apply)
    models = [compiled_project.person_level(mart) for mart in oracle.MARTS]
    connection = compiled_project.run(models, sources(accepted, store.window, organisations, opt_outs_apply))
    for mart, tell in oracle.MARTS.items():
        told, shown = comparable(tell(records)), comparable(rows_of(connection, mart))
        assert (mart, _short(shown - told), _short(told - shown)) == (mart, [], [])


def _short(rows: set[tuple[tuple[str, object], ...]]) -> list[str]:
    """The first rows of a difference."""
    return [" ".join(f"{name}={value}" for name, value in row) for row in sorted(rows, key=str)[:6]]
