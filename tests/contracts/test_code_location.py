"""The code location as Dagster serves it: through workspace.yaml, with the job, the night and the inbox."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml
from dagster._utils.schedules import schedule_execution_time_iterator

from pipelines import settings
from tests.support.stores import Store

LONDON = ZoneInfo("Europe/London")


@pytest.fixture(scope="module")
def definitions(built_datastore: Store) -> dg.Definitions:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in built_datastore.environment.items():
            patch.setenv(name, value)
        from pipelines.definitions import defs

        yield defs()


def keys_of(definitions: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}


def test_workspace_yaml_serves_the_same_assets(built_datastore: Store, definitions: dg.Definitions) -> None:
    """`-w workspace.yaml` is how `make dev` loads it; with a [tool.dg] block nothing else reads that file."""
    code = (
        "import json, sys\n"
        "from dagster import DagsterInstance\n"
        "from dagster._core.workspace.context import WorkspaceProcessContext\n"
        "from dagster._core.workspace.load_target import WorkspaceFileTarget\n"
        "with DagsterInstance.get() as instance:\n"
        "    with WorkspaceProcessContext(instance, WorkspaceFileTarget(['workspace.yaml'])) as process:\n"
        "        context = process.create_request_context()\n"
        "        [location] = context.code_locations\n"
        "        [repository] = location.get_repositories().values()\n"
        "        keys = [k.to_user_string() for k in repository.asset_graph.get_all_asset_keys()]\n"
        "        print(json.dumps([location.name, sorted(keys)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=built_datastore.environment,
        cwd=settings.PROJECT_ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    [answer] = [line for line in done.stdout.splitlines() if line.startswith("[")]
    name, keys = json.loads(answer)
    assert (
        name
        == yaml.safe_load((settings.PROJECT_ROOT / "workspace.yaml").read_text())["load_from"][0]["python_module"][
            "location_name"
        ]
    )
    assert set(keys) == keys_of(definitions)


def test_no_asset_is_external(definitions: dg.Definitions) -> None:
    """Every dbt source is an asset of ours: a renamed source would be cut from the asset that feeds it."""
    graph = definitions.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.external_asset_keys} == set()


def test_every_asset_is_described_owned_and_grouped(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.group_name != "default", key
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key


def test_landing_rules_are_checks_and_errors_block(definitions: dg.Definitions) -> None:
    from pipelines.adapters import catalogue
    from pipelines.components.feed import check_name

    graph = definitions.resolve_asset_graph()
    for feed in catalogue.feeds():
        for rule in catalogue.suite(feed).rules:
            check = graph.get(dg.AssetCheckKey(dg.AssetKey(["landing", feed]), check_name(rule.id)))
            assert check.blocking == (rule.severity == "error"), rule.id


def test_jobs_run_in_process_and_hold_everything(definitions: dg.Definitions) -> None:
    """The nightly one all that may run by itself; what ends datasets is in a job of its own, which nothing starts."""
    held = {}
    for name in ("nightly_refresh", "end_datasets"):
        job = definitions.resolve_job_def(name)
        assert job.executor_def.name == dg.in_process_executor.name
        held[name] = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert held["end_datasets"] == {"retention_execution"}
    assert held["nightly_refresh"] == keys_of(definitions) - {"retention_execution"}
    repository = definitions.get_repository_def()
    started = [one.job_name for one in repository.schedule_defs]
    started += [job for one in repository.sensor_defs for job in [target.job_name for target in one.targets]]
    assert "end_datasets" not in started and "nightly_refresh" in started


def test_a_quiet_night_makes_what_the_day_decides(definitions: dg.Definitions) -> None:
    """All that depends on the record of releases, with its tests, and what the day governs; every release rule."""
    from pipelines.adapters import release_gate
    from pipelines.components.feed import check_name
    from pipelines.defs.schedule.jobs import CHECKS_OF_THE_NIGHT, OF_THE_NIGHT

    graph = definitions.resolve_asset_graph()
    releases = dg.AssetKey(["operations", "releases"])
    found, waiting = {releases}, [releases]
    while waiting:
        children = set(graph.get(waiting.pop()).child_keys) - found
        found |= children
        waiting += children
    assert found | {dg.AssetKey("governance"), dg.AssetKey("retention_plan")} == OF_THE_NIGHT
    assert {key.to_user_string() for key in OF_THE_NIGHT} >= {"marts/quality", "marts/release", "published/release"}
    rules = {check_name(rule.id) for rule in release_gate.suite().rules}
    assert {check.name for check in CHECKS_OF_THE_NIGHT if check.asset_key.path[-1] == "observation"} >= rules
    for check in graph.asset_check_keys:
        assert (check in CHECKS_OF_THE_NIGHT) >= (check.asset_key in OF_THE_NIGHT), check


def test_no_release_leaves_a_quiet_night_before_its_gate(definitions: dg.Definitions) -> None:
    """The release waits for every check that blocks, of the gate and of the models that were made."""
    from pipelines.defs.schedule.jobs import CHECKS_OF_THE_NIGHT, OF_THE_NIGHT

    night = definitions.resolve_job_def("nightly_refresh").get_subset(
        asset_selection=OF_THE_NIGHT, asset_check_selection=CHECKS_OF_THE_NIGHT
    )
    [release] = [inputs for node, inputs in night.graph.dependencies.items() if node.name == "published__release"]
    awaited = {output.output for one in release.values() for output in one.get_node_dependencies()}
    graph = definitions.resolve_asset_graph()
    for check in CHECKS_OF_THE_NIGHT:
        mart = check.asset_key.path[0] == "marts"
        name = f"{check.asset_key.to_python_identifier()}_{check.name}"
        assert not (graph.get(check).blocking and mart) or name in awaited, check


@pytest.mark.parametrize(
    ("day", "utc"),
    [
        ("2026-03-28", "02:30"),  # the night before the clocks go forward: GMT
        ("2026-03-29", "01:30"),  # 01:00 GMT became 02:00 BST
        ("2026-03-30", "01:30"),
        ("2026-10-24", "01:30"),
        ("2026-10-25", "02:30"),  # 02:00 BST became 01:00 GMT: 01:00 to 02:00 came twice, 02:30 once
        ("2026-10-26", "02:30"),
    ],
)
def test_one_tick_a_night_at_the_right_instant(definitions: dg.Definitions, day: str, utc: str) -> None:
    schedule = definitions.resolve_schedule_def("nightly")
    start = dt.datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=LONDON)
    ticks = []
    for tick in schedule_execution_time_iterator(
        start.timestamp(), schedule.cron_schedule, schedule.execution_timezone
    ):
        if tick.astimezone(LONDON).date().isoformat() != day:
            break
        ticks.append(tick.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M"))
    assert ticks == [f"{day} {utc}"]


def test_a_feed_without_agreement_stops_the_location(definitions: dg.Definitions) -> None:
    """Refused by name, when the code location loads."""
    from pipelines.adapters import catalogue
    from pipelines.components.feed import FeedComponent
    from pipelines.domain.governance import Ungoverned

    feed = catalogue.feed("ae_monthly").model_copy(update={"agreement": None})
    with pytest.raises(Ungoverned, match="ae_monthly names no agreement"):
        FeedComponent.load(feed, None)
