"""What a refresh has to make: something is left out only when dbt reads what it read the last time."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import pytest

from data.synthetic.samples import person_samples
from pipelines import building, intake, settings
from pipelines.adapters import build_state, catalogue, records, warehouse
from pipelines.adapters.landing import Held, Landing
from pipelines.settings import Settings
from tests.support.stores import Store

SAMPLES = {document.feed: document for document in person_samples()}
PERSONS = "data_opt_outs"
OTHERS = "care_home_residents"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with one accepted file of persons and every record, built once."""
    store = Store(tmp_path_factory.mktemp("built") / "store")
    here = store.settings
    settings.prepare(here)
    receive(here, PERSONS)
    for feed in catalogue.feeds().values():
        intake.settle_pending(here, feed)
    with warehouse.build(here):
        pass
    build(here)
    return store


@pytest.fixture
def store(built: Store, tmp_path: Path) -> Settings:
    """A copy of it."""
    return built.copy(tmp_path / "store").settings


def receive(store: Settings, feed: str) -> None:
    path = store.home / SAMPLES[feed].name
    path.write_bytes(SAMPLES[feed].render())
    [arrival] = intake.receive(store, catalogue.feed(feed), [str(path)])
    assert arrival.verdict == "accepted", arrival


def build(store: Settings, whole: bool = True, ends: bool = True) -> bool:
    """A refresh without dbt: whether it had to begin anew."""
    building.take_stock(store)
    building.announce(store, "now")
    anew = "--full-refresh" in building.dbt_arguments(store, whole)
    with warehouse.build(store):
        pass
    if ends:
        build_state.end(store)
    return anew


def held(store: Settings) -> Held:
    [one] = Landing(store).batches(PERSONS)
    return one


def test_nothing_came(store: Settings) -> None:
    """Records written again with the same rows are the same; a new release alone is no reason."""
    building.announce(store, "later")
    assert building.is_unchanged(store)
    for name in set(records.SCHEMAS) - {building.RELEASES}:
        records.write(store, name, records.read(store, name))
    assert building.is_unchanged(store)


def another_rule(store: Settings, patch: pytest.MonkeyPatch) -> None:
    rules = store.home / "rules"
    (rules / "landing").mkdir(parents=True)
    for path in (settings.EXPECTATIONS / "landing").glob("*.yaml"):
        (rules / "landing" / path.name).write_text(path.read_text().replace("max_value: 0.05", "max_value: 0.04"))
    patch.setattr(settings, "EXPECTATIONS", rules)


def judged_again(store: Settings, patch: pytest.MonkeyPatch) -> None:
    held(store).record_checks({**held(store).checks, "judged_at": dt.datetime(2020, 6, 1, tzinfo=dt.UTC).isoformat()})


def opt_outs_changed(store: Settings, patch: pytest.MonkeyPatch) -> None:
    [before] = records.read(store, "person_rules")
    patch.setattr(records, "person_rules_rows", lambda *told: [{"opt_outs_apply": not before["opt_outs_apply"]}])


def file_went(store: Settings, patch: pytest.MonkeyPatch) -> None:
    receive(store, OTHERS)
    build(store)
    held(store).folder.rename(store.home / "gone")
    held_path = store.accepted / PERSONS
    for path in held_path.glob("[0-9a-f]*.parquet"):
        path.unlink()


Change = Callable[[Settings, pytest.MonkeyPatch], object]
# What changed, and whether kept rows of persons have to be worked out again for it.
CHANGES: dict[str, tuple[Change, bool]] = {
    "a file was accepted": (lambda store, patch: receive(store, OTHERS), False),
    "a file went": (file_went, True),
    "a rule of the landing gate is another": (another_rule, False),
    "opt-outs apply, or do not": (opt_outs_changed, True),
    "a check was judged again": (judged_again, False),
    "a feed is late sooner": (
        lambda store, patch: patch.setattr(records, "feed_rows", lambda: []),
        False,
    ),
    "the project is another": (lambda store, patch: patch.setattr(build_state, "digest", lambda: "another"), True),
    "the build is gone": (lambda store, patch: store.build.unlink(), True),
    "the internal marts are gone": (lambda store, patch: store.internal_build.unlink(), True),
    "a record is gone": (lambda store, patch: (store.operations / "checks.parquet").unlink(), False),
    "records were written and not built": (lambda store, patch: building.take_stock(store), False),
    "the last build did not end": (lambda store, patch: build(store, ends=False), False),
    "the last build was of a part": (lambda store, patch: build(store, whole=False), False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_something_came(store: Settings, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thing that a model could show makes everything, and stays a reason until a whole build has ended well."""
    make, anew = CHANGES[change]
    make(store, monkeypatch)
    assert not building.is_unchanged(store)
    assert build(store, ends=False) == anew
    assert not building.is_unchanged(store)
    assert build(store) == anew  # as long as a build that began anew did not end, the next one does
    assert building.is_unchanged(store)
    assert not build(store)


def test_a_maker_is_another(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of what makes the tables."""
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0")
    assert not building.is_unchanged(store)


def test_what_waits_to_be_settled_came(store: Settings) -> None:
    """A receiver was stopped: nobody knows yet what the batch is."""
    held(store).accepted_path.rename(store.home / "unsettled.parquet")
    assert held(store).verdict == "pending"
    assert not building.is_unchanged(store)


def test_the_build_is_released_again_while_it_stands(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came waits for the next refresh; what went, or a build that is under way, stops the release."""
    building.require_standing(store)
    receive(store, OTHERS)
    building.require_standing(store)
    assert not building.is_unchanged(store)
    file_went(store, monkeypatch)
    with pytest.raises(building.BuildLost):
        building.require_standing(store)
    build(store, ends=False)
    with pytest.raises(building.BuildLost):
        building.require_standing(store)
    build(store)
    building.require_standing(store)
