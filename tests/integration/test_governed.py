"""Governance is enforced: what is refused at receipt and publishing, when opt-outs apply, what a release remembers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from data.synthetic.samples import person_samples
from pipelines import building, intake, settings
from pipelines.adapters import audit, catalogue, governing, releases
from pipelines.adapters.landing import Landing
from pipelines.components.one_run import ONE_RUN
from pipelines.domain.governance import Ungoverned
from tests.support import governed
from tests.support.forks import Commands, Ended, shared
from tests.support.person_store import IMPORTED, REFRESH
from tests.support.stores import Store
from tests.support.supplied import supplied

BEFORE, AFTER = "2022-06-30T12:00:00Z", "2022-07-01T01:30:00Z"
NOTICES = ["copi_regulation_3_4"]
SAMPLES = {document.feed: document for document in person_samples()}


def covered(records: dict[str, Any], bases: list[str], *feeds: str, **facts: Any) -> None:
    """Add an agreement `research` on these bases that covers these feeds."""
    row = next(one for one in records["agreements"]["agreements"] if one["id"] == "synthetic_person_level")
    row = {**row, "id": "research", "datasets": list(feeds), "legal_bases": bases, **facts}
    records["agreements"]["agreements"].append({name: value for name, value in row.items() if value is not None})


def ended(records: dict[str, Any], **row: Any) -> None:
    """End the emergency for `research` on 1 July 2022."""
    row = {"id": "E9", "date": "2022-07-01", "known_from": "2022-06-01", "agreements": ["research"], **row}
    records["policy_events"]["events"].append(governed.end(policy="covid_19_emergency", **row))


OPEN = "copi_regulation_5"
RECEIVED = [
    # agreement, now, facts of the agreement, the end's row, exit code, what is said
    ("research", BEFORE, {}, None, 0, "accepted"),
    ("nobody", BEFORE, {}, None, 2, "--agreement nobody: governance/agreements.yaml has none of that id"),
    (
        "ods_open_data",
        BEFORE,
        {},
        None,
        1,
        "feed ae_monthly is not covered by agreement ods_open_data: "
        "governance/agreements.yaml does not list ae_monthly in its datasets",
    ),
    ("research", BEFORE, {"dpia": None}, None, 1, "governance/agreements.yaml: agreement research: lacks dpia"),
    ("research", BEFORE, {"purpose": None}, None, 1, "governance/agreements.yaml: agreement research: lacks purpose"),
    (
        "research",
        AFTER,
        {},
        None,
        1,
        "feed ae_monthly: legal basis copi_regulation_3_4 is not in force on 2022-07-01: "
        "nothing is taken in or released",
    ),
    (
        "research",
        AFTER,
        {"legal_bases": [OPEN]},
        {},
        1,
        "feed ae_monthly: agreement research ended on 2022-07-01 (event E9): nothing more is taken in",
    ),
    ("research", BEFORE, {"legal_bases": [OPEN]}, {}, 0, "accepted"),
    ("research", AFTER, {"legal_bases": [OPEN]}, {"from": "2020-01-01", "to": "2020-12-31"}, 0, "accepted"),
]


@pytest.mark.parametrize(("agreement", "now", "facts", "end", "code", "said"), RECEIVED)
def test_a_file_is_taken_in_under_an_agreement_that_covers_it_or_not_at_all(
    tmp_path: Path,
    agreement: str,
    now: str,
    facts: dict[str, Any],
    end: dict[str, Any] | None,
    code: int,
    said: str,
) -> None:
    """The refusal says which lacks; the manifest and the key tell under which agreement a file is held."""

    def change(records: dict[str, Any]) -> None:
        covered(records, NOTICES, "ae_monthly", **facts)
        if end is not None:
            ended(records, **end)

    store = Store(tmp_path / "store")
    changed = {"DATASTORE_GOVERNANCE": governed.folder(tmp_path / "governance", change), "DATASTORE_NOW": now}
    file = supplied("ae_monthly", "April-2020")
    received = shared().run(store, "receive", "ae_monthly", file, "--agreement", agreement, changed=changed)
    assert received.code == code, received
    assert said in (received.out if code == 0 else received.err)
    held = Landing(store.settings).batches()
    assert [(one.manifest["agreement"], one.manifest["wrapping_key"]) for one in held] == (
        [("research", "feed.ae_monthly.research")] if code == 0 else []
    )
    if code == 0:
        again = shared().run(store, "receive", "ae_monthly", file, changed=changed)
        assert "the same bytes are held under agreement research already, and stay there" in again.out


def test_nothing_is_released_without_a_basis_and_a_release_remembers_its_own(tmp_path: Path) -> None:
    """One feed under two agreements: when the basis of one lapses the release before stays; it can be replayed."""
    store = Store(tmp_path / "store")
    folder = governed.folder(tmp_path / "governance", lambda records: covered(records, NOTICES, "ae_monthly"))

    def run(now: str, *words: str | Path) -> Ended:
        return shared().run(store, *words, changed={"DATASTORE_GOVERNANCE": folder, "DATASTORE_NOW": now})

    assert run(BEFORE, "receive", "ae_monthly", supplied("ae_monthly", "April-2020")).code == 0
    assert run(BEFORE, "receive", "ae_monthly", supplied("ae_monthly", "May"), "--agreement", "research").code == 0
    published = run(BEFORE, "refresh", "--json")
    assert published.code == 0, published
    record = json.loads(published.out)["release"]
    by_agreement = {one["agreement"]: one for one in record["governance"]}
    assert by_agreement["research"] == {
        "feed": "ae_monthly",
        "agreement": "research",
        "basis": "copi_regulation_3_4",
        "basis_ends_as_known": "2022-06-30",
        "opt_outs_apply": False,
        "dpia": "DPIA-005",
        "disposition": "destroy",
    }
    assert by_agreement["nhs_england_published_statistics"]["basis_ends_as_known"] is None
    assert len(by_agreement) == len(record["governance"]) == 2
    assert releases.record(releases.current(store.settings))["governance"] == record["governance"]
    [entry] = audit.entries(store.settings, "publish")
    assert (entry["release_id"], entry["governance"]) == (record["release_id"], record["governance"])

    refused = run(AFTER, "refresh")
    assert refused.code == 4 and (
        "feed ae_monthly: legal basis copi_regulation_3_4 is not in force on 2022-07-01" in refused.err
    ), refused
    assert releases.current(store.settings).name == record["release_id"]

    shutil.rmtree(releases.current(store.settings))
    replayed = run(AFTER, "governance", "--release", record["release_id"], "--json")
    assert json.loads(replayed.out) == record["governance"], replayed
    unknown = run(AFTER, "governance", "--release", "19990101T000000Z-aaaaaaaa")
    assert unknown.code == 2 and "the audit trail has no release 19990101T000000Z-aaaaaaaa" in unknown.err
    known = run(AFTER, "governance", "--on", "2020-06-01", "--known-on", "2020-06-01", "--json")
    [then] = [one for one in json.loads(known.out) if one["agreement"] == "research"]
    assert (then["basis_ends_as_known"], then["accepted"]) == ("2020-09-30", 1)


@pytest.fixture(scope="module")
def refreshes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Refreshes without Dagster, whose imports were done before."""
    outputs = tmp_path_factory.mktemp("refreshes")
    with Commands(outputs, command=REFRESH, imported=IMPORTED) as commands:
        yield commands


def test_opt_outs_apply_before_the_first_release_under_regulation_5(
    tmp_path: Path, refreshes: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notices govern one of three datasets of persons: once approval follows, opted-out people go from all."""
    folder = governed.folder(
        tmp_path / "governance", lambda records: covered(records, [*NOTICES, OPEN], "ecds_attendances")
    )
    store = Store(tmp_path / "store")
    monkeypatch.setenv("DATASTORE_GOVERNANCE", folder)
    monkeypatch.setenv("DATASTORE_NOW", BEFORE)
    settings.prepare(store.settings)
    for feed, agreement in (("ecds_attendances", "research"), ("apc_spells", None), ("data_opt_outs", None)):
        path = tmp_path / SAMPLES[feed].name
        path.write_bytes(SAMPLES[feed].render())
        [arrival] = intake.receive(store.settings, catalogue.feed(feed), [str(path)], agreement=agreement)
        assert arrival.verdict == "accepted", arrival

    def refresh() -> dict[str, int]:
        done = refreshes.run(store)
        assert done.code == 0, done
        with governing.warehouse.build(store.settings, read_only=True) as connection:
            counts = {
                mart: connection.execute(f"SELECT count(*) FROM internal.marts.{mart}").fetchone()
                for mart in ("ae_waiting_times_daily", "length_of_stay")
            }
        return {mart: found[0] if found else 0 for mart, found in counts.items()}

    with_everybody = refresh()
    assert all(with_everybody.values())
    before = governing.of_release(store.settings)
    monkeypatch.setenv("DATASTORE_NOW", AFTER)
    assert not building.is_unchanged(store.settings), "a quiet night would release them once more"
    with pytest.raises(Ungoverned, match="the rule on opt-outs changed since the build was begun"):
        governing.of_release(store.settings)  # begun before midnight, published after
    without = refresh()
    assert all(without[mart] < with_everybody[mart] for mart in without), (with_everybody, without)
    after = governing.of_release(store.settings)
    told = [[(one["feed"], one["basis"], one["opt_outs_apply"]) for one in rows] for rows in (before, after)]
    assert told == [
        [
            ("apc_spells", "demonstration", False),
            ("data_opt_outs", "demonstration", False),
            ("ecds_attendances", "copi_regulation_3_4", False),
        ],
        [
            ("apc_spells", "demonstration", True),
            ("data_opt_outs", "demonstration", True),
            ("ecds_attendances", "copi_regulation_5", True),
        ],
    ]


@pytest.mark.parametrize(("now", "warned"), [("2022-05-04T12:00:00Z", False), ("2022-05-05T12:00:00Z", True)])
def test_dagster_warns_eight_weeks_before_the_notices_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: str, warned: bool
) -> None:
    """A check of the nightly job: a warning, which stops nothing and says what follows."""
    from pipelines.defs.governance.assets import governance
    from pipelines.defs.schedule.jobs import CHECKS_OF_THE_NIGHT, OF_THE_NIGHT

    folder = governed.folder(tmp_path / "governance", lambda records: covered(records, NOTICES, "ecds_attendances"))
    monkeypatch.setenv("DATASTORE_GOVERNANCE", folder)
    monkeypatch.setenv("DATASTORE_NOW", now)
    monkeypatch.setenv("DATASTORE_HOME", str(tmp_path / "store"))
    made = dg.materialize([governance], resources={ONE_RUN: None})
    [check] = made.get_asset_check_evaluations()
    assert made.success and (check.severity, check.passed) == (dg.AssetCheckSeverity.WARN, not warned)
    line = "legal basis copi_regulation_3_4 of agreement research ends on 2022-06-30, in 56 days: then nothing is taken"
    assert (line in str(check.metadata["lapsing"].value)) == warned
    assert governance.keys <= OF_THE_NIGHT and governance.check_keys <= CHECKS_OF_THE_NIGHT, "a quiet night warns too"


def test_an_inbox_that_nothing_governs_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a dataset that ended stay where they are; those of other feeds are received; the run says why."""
    from pipelines.defs.schedule.jobs import receive_inbox

    def statistics_end(records: dict[str, Any]) -> None:
        [row] = [one for one in records["agreements"]["agreements"] if "ae_monthly" in one["datasets"]]
        row["disposition"] = {"action": "destroy", "trigger": {"policy": "covid_19_emergency"}, "deadline_days": 30}
        ended(records, agreements=[row["id"]])

    store = Store(tmp_path / "store")
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATASTORE_GOVERNANCE", governed.folder(tmp_path / "governance", statistics_end))
    settings.prepare(store.settings)
    for feed in ("ae_monthly", "ods_trusts"):
        (store.settings.inbox / feed).mkdir()
        shutil.copy(supplied(feed), store.settings.inbox / feed)
    with pytest.raises(
        Ungoverned, match=r"feed ae_monthly: agreement nhs_england_published_statistics ended on 2022-07"
    ):
        receive_inbox.execute_in_process()
    assert [one.feed for one in Landing(store.settings).batches()] == ["ods_trusts"]
    assert [path.parent.name for path in store.settings.inbox.rglob("*.*")] == ["ae_monthly"]
