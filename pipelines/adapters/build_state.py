"""What the build has read, and so what has to be made: everything anew, everything, or what the day alone decides.

What dbt reads is the project, the accepted rows and the operations records. It is told once, as a fingerprint of two
parts, when the records are written (`note_inputs`):

- `kept_by`: what a kept row of a person-level model depends on besides the batches that it is made of. Those models
  work out what new batches change; where this part changed, a batch went, or a build that began anew did not end,
  everything is worked out from the accepted rows again (`begin`).
- `all`: everything but the record of releases. When it is what the last whole build read, all that does not depend on
  that record would come out the same (`is_unchanged`). Accepted files never change under their names, so names tell.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.adapters import catalogue, records, warehouse
from pipelines.adapters.dbt_project import digest
from pipelines.adapters.files import write_json
from pipelines.settings import Settings

SUCCESSIONS = "ods_succession"
MAKERS = ("covid-datastore", "dbt-core", "dbt-duckdb", "duckdb")

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def note_inputs(settings: Settings, rows: Rows) -> None:
    """Keep the fingerprint of the records that are about to be written, beside them.

    From here until a build of everything has ended, no last whole build is known: records and build may differ.
    """
    _write_note(settings, {**_read(_note(settings)), "all": None})
    write_json(
        _inputs(settings),
        {
            "kept_by": _digest(_kept_by(settings, rows)),
            "all": _digest(_all(rows)),
            "persons": sorted(f"{row['feed']} {row['batch']}" for row in _accepted(rows, "persons")),
        },
    )


def begin(settings: Settings, whole: bool) -> bool:
    """Note that a build begins, `whole` when of everything; whether it has to begin anew."""
    before, now = _read(_note(settings)), _read(_inputs(settings))
    inputs = _digest([digest(), str(now.get("kept_by"))])
    anew = (
        not _is_built(settings)
        or before.get("inputs") != inputs
        or not set(before["persons"]) <= set(now["persons"])
        or (before["anew"] and not before["is_complete"])
    )
    # What a build that did not end had taken in, the database knows; here stays what it must not have lost.
    _write_note(
        settings,
        {
            "inputs": inputs,
            "persons": now.get("persons", []),
            "all": _with_makers(now["all"]) if whole and now else None,
            "anew": anew,
            "is_complete": False,
        },
    )
    return anew


def end(settings: Settings) -> None:
    """Note that the build ended well."""
    _write_note(settings, {**_read(_note(settings)), "is_complete": True})


def is_unchanged(settings: Settings, rows: Rows) -> bool:
    """Whether the last whole build ended well and had read what `rows`, the records of today, say."""
    return _has_read(settings, _digest(_all(rows)))


def is_of_records(settings: Settings) -> bool:
    """Whether the last whole build ended well and had read the records as they are written."""
    return _has_read(settings, str(_read(_inputs(settings)).get("all")))


def _has_read(settings: Settings, told: str) -> bool:
    note = _read(_note(settings))
    return (
        _is_built(settings)
        and bool(note.get("is_complete"))
        and note["all"] == _with_makers(told)
        and all((settings.operations / f"{name}.parquet").exists() for name in records.SCHEMAS)
    )


def _is_built(settings: Settings) -> bool:
    return settings.build.exists() and settings.internal_build.exists()


def _note(settings: Settings) -> Path:
    return settings.build.parent / "build.json"


def _inputs(settings: Settings) -> Path:
    return settings.operations / "inputs.json"


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _write_note(settings: Settings, note: dict[str, Any]) -> None:
    write_json(_note(settings), note)


def _digest(told: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _with_makers(told: str) -> str:
    return _digest([told, digest(), *(f"{name} {importlib.metadata.version(name)}" for name in MAKERS)])


def _all(rows: Rows) -> list[str]:
    """The records, and the rules of the landing gate: a batch under other rules is to be judged again."""
    told = [json.dumps([name, *(list(row.values()) for row in rows[name])], default=str) for name in sorted(rows)]
    suites = [catalogue.suite_path(feed) for feed in catalogue.feeds()]
    return [*told, *(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in suites)]


def _kept_by(settings: Settings, rows: Rows) -> list[str]:
    """The rule on opt-outs, the lists of organisations, and how many of the listed successions have come to pass."""
    lists = [f"{row['feed']} {row['batch']}" for row in _accepted(rows, "organisations")]
    newest = max((row["known_from"] for row in _accepted(rows)), default=None)
    return [str(list(rows["person_rules"])), str(_successions(settings, newest)), *sorted(lists)]


def _accepted(rows: Rows, kind: str | None = None) -> list[Mapping[str, Any]]:
    """The accepted batches of the declared feeds, of one kind or of all."""
    feeds = catalogue.feeds()
    return [
        row
        for row in rows["batches"]
        if row["verdict"] == "accepted" and row["feed"] in feeds and kind in (None, feeds[row["feed"]].kind)
    ]


def _successions(settings: Settings, newest: Any) -> int:
    """How many of the listed successions have come to pass by the newest publication: those of the future wait."""
    if newest is None or not any((settings.accepted / SUCCESSIONS).glob("*.parquet")):
        return 0
    with warehouse.shared(settings) as connection:
        [count] = connection.execute(
            f"SELECT count(*) FROM {warehouse.accepted_file(settings.accepted / SUCCESSIONS / '*.parquet')} "
            f"WHERE effective_date <= TIMESTAMP {warehouse.quoted(str(newest))}"
        ).fetchone() or (0,)
    return int(count)
