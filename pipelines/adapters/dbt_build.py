"""`dbt build` in this process, and what it tells as Dagster's events.

dagster-dbt would start a dbt of its own: it imports everything once more, and makes a line of JSON of each
of its events, of which Dagster reads a few.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import dagster as dg
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dagster_dbt.dagster_dbt_translator import DagsterDbtTranslator

PARSED = "partial_parse.msgpack"
LEVEL_OF_FILE = "DBT_LOG_LEVEL_FILE"
# Of these Dagster's events are made.
RESULTS = ("LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult")
SILENT = ("debug", "test")


class DbtFailed(Exception):
    """dbt did not end well: its first line names the nodes that failed, what dbt said of each error follows."""


def build(context: dg.AssetExecutionContext, arguments: Sequence[str], parsed: Path, target: Path) -> Iterator[Any]:
    """Run dbt on what the context selected, with these arguments; yields Dagster's events as nodes end.

    `parsed` is the folder that the project was parsed to, `target` that of what this run compiles. What dbt says of its
    progress goes to standard output, which Dagster keeps with the run. In `dbt.log` of the target folder stands what
    `DBT_LOG_LEVEL_FILE` asks for, by default nothing. Raises `DbtFailed`.
    """
    asked = get_updated_cli_invocation_params_for_context(context, {}, DagsterDbtTranslator())
    if asked.dbt_project is None:
        raise ValueError("the dbt assets do not name their project")
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(parsed / PARSED, target / PARSED)
    command = [
        *arguments,
        *("--project-dir", str(asked.dbt_project.project_dir), "--profiles-dir", str(asked.dbt_project.profiles_dir)),
        *("--target-path", str(target), "--log-path", str(target)),
        *("--log-level", "none", "--log-level-file", os.environ.get(LEVEL_OF_FILE, "none")),
        *(("--indirect-selection", asked.indirect_selection) if asked.indirect_selection else ()),
        *asked.selection_args,
    ]
    for event in _told(command):
        made = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
        yield from made.to_default_asset_events(
            manifest=asked.manifest,
            dagster_dbt_translator=asked.dagster_dbt_translator,
            context=context,
            target_path=target,
            project=asked.dbt_project,
        )


def _told(command: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Run a command of dbt; its events of results, as they come."""
    from dbt.cli.main import dbtRunnerResult

    told: SimpleQueue[Any] = SimpleQueue()
    running = threading.Thread(target=_run, args=(command, told), name="dbt")
    running.start()
    errors: list[str] = []
    failed: list[str] = []
    try:
        while not isinstance(item := told.get(), dbtRunnerResult):
            level, message, event = item
            print(message, file=sys.stdout)
            if level == "error":
                errors.append(message)
            if event is not None:
                if level == "error":
                    node = event["data"]["node_info"]
                    failed.append(f"{node['resource_type']} {node['node_name']}")
                yield event
    finally:
        # Whoever stops listening waits too: until dbt has ended the build is written to.
        running.join()
    if item.exception is not None:
        errors.append(str(item.exception))
    if not item.success or errors:
        raise DbtFailed("\n\n".join([f"{', '.join(failed) or 'dbt'} failed", *errors]))


def _run(command: Sequence[str], told: SimpleQueue[Any]) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner, dbtRunnerResult
    from dbt_common.events.base_types import EventMsg
    from dbt_common.events.functions import msg_to_dict

    from pipelines.adapters import dbt_plugin

    def hear(message: EventMsg) -> None:
        if message.info.level not in SILENT:
            event = msg_to_dict(message) if message.info.name in RESULTS else None
            told.put((message.info.level, message.info.msg, event))

    result = dbtRunnerResult(success=False)
    try:
        result = dbtRunner(callbacks=[hear]).invoke(list(command))
    finally:
        # This process goes on, and opens the build itself.
        reset_adapters()
        DuckDBConnectionManager.close_all_connections()
        dbt_plugin.let_go()
        told.put(result)
