"""A night in which nothing came: dbt makes what depends on the release alone, since all else would come out the same.

What dbt reads is the project, the accepted rows and the operations records. When all of it but the record of releases
is what the last whole build read, only the models below that record are made again (freshness is judged by the day of
the release); the others are as they were. Accepted files never change under their names, so their names tell.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.adapters import records, warehouse
from pipelines.adapters.dbt_project import digest
from pipelines.adapters.files import replace_with
from pipelines.settings import Settings

OF_THE_NIGHT = "releases"
MAKERS = ("covid-datastore", "dbt-core", "dbt-duckdb", "duckdb")
MADE = ("model", "seed", "snapshot", "test")


def begin(settings: Settings) -> str | None:
    """Note that a build begins. The digest of what it reads, None when the last whole build read the same.

    Until `end`, or when the build does not end, there is no last whole build.
    """
    note, now = _note(settings), _inputs(settings)
    before = note.read_text() if note.exists() else None
    if before == now and settings.build.exists() and settings.internal_build.exists():
        return None
    note.unlink(missing_ok=True)
    return now


def end(settings: Settings, read: str) -> None:
    """Note that a build of everything ended well, and what it had read."""
    replace_with(_note(settings), read.encode())


def not_of_the_night(manifest: dict[str, Any]) -> list[str]:
    """Names of the models, seeds and tests in a dbt manifest that do not depend on the record of releases."""
    [source] = [
        key
        for key, node in manifest["sources"].items()
        if (node["source_name"], node["name"]) == ("operations", OF_THE_NIGHT)
    ]
    below, found = {source}, [source]
    while found:
        children = set(manifest["child_map"].get(found.pop(), [])) - below
        below |= children
        found += children
    nodes = manifest["nodes"].items()
    return sorted(node["name"] for key, node in nodes if node["resource_type"] in MADE and key not in below)


def _note(settings: Settings) -> Path:
    return settings.build.parent / "read"


def _inputs(settings: Settings) -> str:
    told = [digest(), *(f"{name} {importlib.metadata.version(name)}" for name in MAKERS)]
    told += sorted(str(path.relative_to(settings.accepted)) for path in settings.accepted.glob("*/*.parquet"))
    return hashlib.sha256("\n".join([*told, *_records(settings)]).encode()).hexdigest()


def _records(settings: Settings) -> Iterator[str]:
    """Every record but that of releases, as text; a file under another nonce is another file, so rows are compared."""
    with warehouse.connect(settings) as connection:
        for name in sorted(set(records.SCHEMAS) - {OF_THE_NIGHT}):
            rows = warehouse.read_rows(connection, settings.operations / f"{name}.parquet")
            yield json.dumps([name, *rows.rows()], default=str)
