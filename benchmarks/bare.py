"""The same SQL bare: what `receive` and `refresh` make DuckDB and the seal do, in one process, without Dagster, dbt and
Great Expectations around it.

    python -m benchmarks.bare JOB.json        (on the store that DATASTORE_HOME and DATASTORE_KEYS name)

Files are received by the datastore's own code, except that nobody judges the profile that it makes of each. Then every
statement runs that dbt ran when it built another store of the same files, in the order in which its models began: read
from dbt's log, so the SQL is the same to the letter. Records of operations are taken from that store. Last, the release
is published.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.data import Files
from pipelines import intake, settings
from pipelines.adapters import catalogue, dbt_plugin, governing, releases
from pipelines.domain.gates import Outcome, Rule, Suite

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# Connections on which dbt asks what there is already, or does what stands in the project's hooks.
NO_NODE = "master"


@dataclass(frozen=True)
class Job:
    """Which files to receive, whose statements to repeat, and for which nodes (none: all, and publish the release)."""

    files: dict[str, list[str]]
    built: str
    only: list[str]

    @classmethod
    def of(cls, files: Files, built: Path, only: list[str]) -> Job:
        """A job of files that another store was built of."""
        return cls({feed: [str(path) for path in paths] for feed, paths in files.items()}, str(built), only)

    def write(self, path: Path) -> Path:
        """Write the job where the process reads it."""
        path.write_text(json.dumps(asdict(self)))
        return path


def main() -> None:
    """Do the job that the argument names."""
    job = Job(**json.loads(Path(sys.argv[1]).read_text()))
    here = settings.load()
    settings.prepare(here)
    receive(here, job.files)
    built = settings.Settings(home=Path(job.built), keys=here.keys)
    shutil.copytree(built.operations, here.operations, dirs_exist_ok=True)
    for feed in catalogue.feeds().values():  # what cannot be read although it is empty
        intake.settle_pending(here, feed)
    replay(here, built, set(job.only))
    if not job.only:
        releases.publish(here, governing.of_release(here))


def receive(here: settings.Settings, files: dict[str, list[str]]) -> None:
    """Seal, read and profile; nobody judges."""
    for feed, paths in files.items():
        for arrival in intake.receive(here, catalogue.feeds()[feed], paths, judged_by=nobody):
            if arrival.verdict not in ("accepted", "quarantined"):
                raise SystemExit(f"{feed}: {arrival.verdict}: {'; '.join(arrival.reasons)[:500]}")


def nobody(suite: Suite, view_of: Callable[[Rule], Any], kept: Collection[str]) -> list[Outcome]:
    """Judge nothing."""
    return []


def replay(here: settings.Settings, built: settings.Settings, only: set[str]) -> None:
    """Run what dbt ran, on this store."""
    with duckdb.connect(config=profile()["config_options"]) as connection:
        for name, value in profile()["settings"].items():
            connection.execute(f"SET {name} = '{value}'")
        dbt_plugin.Plugin("bare", {}).configure_connection(connection)
        for statements in nodes(built, only):
            is_open = False
            for statement in statements:
                is_open = {"BEGIN": True, "COMMIT": False}.get(statement, is_open)
                connection.execute(statement.replace(str(built.home), str(here.home)))
            if is_open:
                connection.rollback()
    dbt_plugin.let_go()


def profile() -> dict[str, Any]:
    """The connection that dbt opens, as its profile declares it."""
    import yaml

    read = yaml.safe_load((settings.DBT_PROJECT / "profiles.yml").read_text())
    return dict(read["datastore"]["outputs"]["duckdb"])


def nodes(built: settings.Settings, only: set[str]) -> Iterator[list[str]]:
    """The statements of each node, in the order in which nodes began: none begins before what it reads has ended."""
    by_node: dict[str, list[str]] = {}
    with (built.dbt_target / "run" / "dbt.log").open() as log:
        for line in log:
            event = json.loads(line)
            if event["info"]["name"] == "MainReportVersion":
                by_node.clear()  # an earlier run of dbt
            if event["info"]["name"] != "SQLQuery":
                continue
            # dbt may end a seed's statement in dots, whole or not; a path that long would be refused, not read wrong.
            statement = COMMENT.sub("", event["data"]["sql"], count=1).strip().removesuffix("...").strip()
            by_node.setdefault(event["data"]["conn_name"], []).append(statement)
    for node, statements in by_node.items():
        if not node.startswith("list_") and (not only or node in only or not node.startswith(("model.", "test."))):
            yield statements


def behind(built: settings.Settings, marts: list[str]) -> list[str]:
    """The models that these marts are made of, themselves too, by dbt's own account."""
    parents = json.loads((built.dbt_target / "manifest.json").read_text())["parent_map"]
    found: set[str] = set()
    waiting = [node for node in parents if node.startswith("model.") and node.rsplit(".", 1)[1] in marts]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [parent for parent in parents[node] if parent.startswith("model.")]
    return sorted(found)


if __name__ == "__main__":
    main()
