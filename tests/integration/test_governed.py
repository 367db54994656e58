"""Governance is enforced: what is refused at receipt and publishing, when opt-outs apply, what a release remembers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from data.synthetic.samples import person_samples
from pipelines import building, intake, settings
from pipelines.adapters import audit, build_state, catalogue, governing, records, releases, warehouse
from pipelines.adapters.landing import Landing
from pipelines.components.one_run import ONE_RUN
from pipelines.domain.governance import Ungoverned
from tests.support import governed, released
from tests.support.forks import Commands, shared
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


def under(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bases: list[str], feed: str) -> Store:
    """A store on the last day of the notices, whose records have the agreement `research` for a feed."""
    monkeypatch.setenv(
        "DATASTORE_GOVERNANCE", governed.folder(tmp_path / "governance", lambda records: covered(records, bases, feed))
    )
    monkeypatch.setenv("DATASTORE_NOW", BEFORE)
    store = Store(tmp_path / "store")
    settings.prepare(store.settings)
    return store


def receive(store: Store, feed: str, path: Path, agreement: str | None = None) -> None:
    [arrival] = intake.receive(store.settings, catalogue.feed(feed), [str(path)], agreement=agreement)
    assert arrival.verdict == "accepted", arrival


def counts_under_two_agreements(store: Store) -> None:
    receive(store, "ae_monthly", supplied("ae_monthly", "April-2020"))
    receive(store, "ae_monthly", supplied("ae_monthly", "May"), "research")


def persons_under_two_agreements(store: Store, tmp_path: Path) -> None:
    for feed, agreement in (("ecds_attendances", "research"), ("apc_spells", None), ("data_opt_outs", None)):
        path = tmp_path / SAMPLES[feed].name
        path.write_bytes(SAMPLES[feed].render())
        receive(store, feed, path, agreement)


def test_a_release_remembers_what_governed_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its record and in the audit trail, from which it is replayed when the release has gone."""
    store = under(tmp_path, monkeypatch, NOTICES, "ae_monthly")
    counts_under_two_agreements(store)
    building.take_stock(store.settings)
    rows = governing.of_release(store.settings)
    assert [one["agreement"] for one in rows] == ["nhs_england_published_statistics", "research"]
    assert rows[1] == {
        "feed": "ae_monthly",
        "agreement": "research",
        "basis": "copi_regulation_3_4",
        "basis_ends_as_known": "2022-06-30",
        "opt_outs_apply": False,
        "dpia": "DPIA-005",
        "disposition": "destroy",
    }
    released.build(store, {})
    record = releases.publish(store.settings, rows)
    assert releases.record(releases.current(store.settings))["governance"] == rows
    [entry] = audit.entries(store.settings, "publish")
    assert (entry["release_id"], entry["governance"]) == (record["release_id"], rows)

    shutil.rmtree(releases.current(store.settings))
    replayed = shared().run(store, "governance", "--release", record["release_id"], "--json")
    assert json.loads(replayed.out) == rows, replayed
    unknown = shared().run(store, "governance", "--release", "19990101T000000Z-aaaaaaaa")
    assert unknown.code == 2 and "the audit trail has no release 19990101T000000Z-aaaaaaaa" in unknown.err
    known = shared().run(store, "governance", "--on", "2020-06-01", "--known-on", "2020-06-01", "--json")
    [then] = [one for one in json.loads(known.out) if one["agreement"] == "research"]
    assert (then["basis_ends_as_known"], then["accepted"]) == ("2020-09-30", 1)


def test_a_dataset_without_basis_stops_the_release_until_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two agreements of a feed lapses; what an end has taken away stops nothing."""
    store = under(tmp_path, monkeypatch, NOTICES, "ae_monthly")
    counts_under_two_agreements(store)
    monkeypatch.setenv("DATASTORE_NOW", AFTER)
    building.take_stock(store.settings)
    with pytest.raises(Ungoverned, match="feed ae_monthly: legal basis copi_regulation_3_4 is not in force on 2022-07"):
        governing.of_release(store.settings)
    [research] = [one for one in Landing(store.settings).batches() if one.manifest["agreement"] == "research"]
    research.accepted_path.unlink()
    shutil.rmtree(research.folder)
    building.take_stock(store.settings)
    assert [one["agreement"] for one in governing.of_release(store.settings)] == ["nhs_england_published_statistics"]


def test_a_refresh_without_basis_publishes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says which basis lacks; the release before stays."""
    store = under(tmp_path, monkeypatch, NOTICES, "ae_monthly")
    counts_under_two_agreements(store)
    published = shared().run(store, "refresh", "--json")
    assert published.code == 0, published
    record = json.loads(published.out)["release"]
    assert [one["basis"] for one in record["governance"]] == ["open_government_licence", "copi_regulation_3_4"]
    refused = shared().run(store, "refresh", changed={"DATASTORE_NOW": AFTER})
    assert refused.code == 4 and "legal basis copi_regulation_3_4 is not in force on 2022-07-01" in refused.err, refused
    assert releases.current(store.settings).name == record["release_id"]


def told(store: Store) -> list[tuple[str, str, bool]]:
    return [(one["feed"], one["basis"], one["opt_outs_apply"]) for one in governing.of_release(store.settings)]


def test_when_the_basis_flips_nothing_leaves_under_the_rule_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notices govern one of three datasets of persons. The night after their end is no quiet one, begins anew, and
    what was built before midnight is not published after it."""
    store = under(tmp_path, monkeypatch, [*NOTICES, OPEN], "ecds_attendances")
    persons_under_two_agreements(store, tmp_path)
    for feed in catalogue.feeds().values():
        intake.settle_pending(store.settings, feed)

    def built() -> bool:
        """A refresh without dbt: whether it had to begin anew."""
        building.take_stock(store.settings)
        building.announce(store.settings, "now")
        anew = "--full-refresh" in building.dbt_arguments(store.settings, whole=True)
        with warehouse.build(store.settings):
            pass
        build_state.end(store.settings)
        return anew

    built()
    assert not built() and building.is_unchanged(store.settings)
    assert told(store) == [
        ("apc_spells", "demonstration", False),
        ("data_opt_outs", "demonstration", False),
        ("ecds_attendances", "copi_regulation_3_4", False),
    ]
    monkeypatch.setenv("DATASTORE_NOW", AFTER)
    assert not building.is_unchanged(store.settings)
    with pytest.raises(Ungoverned, match="the rule on opt-outs changed since the build was begun"):
        governing.of_release(store.settings)
    assert built()
    assert records.read(store.settings, "person_rules") == [{"opt_outs_apply": True}]
    assert told(store) == [
        ("apc_spells", "demonstration", True),
        ("data_opt_outs", "demonstration", True),
        ("ecds_attendances", "copi_regulation_5", True),
    ]


def test_opt_outs_apply_before_the_first_release_under_regulation_5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People who opted out are in the marts on the last day of the notices, and in none the day after."""
    store = under(tmp_path, monkeypatch, [*NOTICES, OPEN], "ecds_attendances")
    persons_under_two_agreements(store, tmp_path)
    with Commands(tmp_path / "outputs", command=REFRESH, imported=IMPORTED) as refreshes:

        def people() -> dict[str, int]:
            done = refreshes.run(store)
            assert done.code == 0, done
            with warehouse.build(store.settings, read_only=True) as connection:
                counted = {
                    mart: connection.execute(f"SELECT count(*) FROM internal.marts.{mart}").fetchone()
                    for mart in ("ae_waiting_times_daily", "length_of_stay")
                }
            return {mart: found[0] if found else 0 for mart, found in counted.items()}

        before = people()
        monkeypatch.setenv("DATASTORE_NOW", AFTER)
        after = people()
    assert all(after[mart] < before[mart] for mart in before), (before, after)


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
