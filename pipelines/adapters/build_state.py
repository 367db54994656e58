"""Whether a build goes on from the one before, or begins anew.

Person-level models keep what they have and work out what new batches change. That is right only as long as all else
is as it was: the project, the lists of organisations, the rule on opt-outs, and every batch that went into them. Where
one of these changed, or a build that began anew did not end, everything is worked out from the accepted rows again.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pipelines.adapters import catalogue, records, warehouse
from pipelines.adapters.dbt_project import digest
from pipelines.adapters.files import write_json
from pipelines.adapters.landing import Landing
from pipelines.settings import Settings

SUCCESSIONS = "ods_succession"


def begin(settings: Settings) -> bool:
    """Note that a build begins; whether it has to begin anew."""
    before, now = _read(settings), _inputs(settings)
    anew = (
        not settings.build.exists()
        or not settings.internal_build.exists()
        or before.get("inputs") != now["inputs"]
        or not set(before.get("batches", [])) <= set(now["batches"])
        or (before["anew"] and not before["is_complete"])
    )
    # What a build that did not end had taken in, the database knows; here stays what it must not have lost.
    write_json(_path(settings), {**now, "anew": anew, "is_complete": False})
    return anew


def end(settings: Settings) -> None:
    """Note that the build ended well."""
    write_json(_path(settings), {**_read(settings), "is_complete": True})


def _path(settings: Settings) -> Any:
    return settings.build.parent / "build.json"


def _read(settings: Settings) -> dict[str, Any]:
    path = _path(settings)
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _inputs(settings: Settings) -> dict[str, Any]:
    """What a kept row depends on besides the batches of person-level feeds, as one digest; and those batches."""
    feeds = catalogue.feeds()
    accepted = [held for held in Landing(settings).batches() if held.verdict == "accepted" and held.feed in feeds]
    lists = [f"{held.feed} {held.sha256}" for held in accepted if feeds[held.feed].kind == "organisations"]
    newest = max((held.manifest["known_from"] for held in accepted), default="")
    told = [digest(), str(records.person_rules_rows()), str(_successions(settings, newest)), *sorted(lists)]
    return {
        "inputs": hashlib.sha256("\n".join(told).encode()).hexdigest(),
        "batches": sorted(f"{held.feed} {held.sha256}" for held in accepted if feeds[held.feed].kind == "persons"),
    }


def _successions(settings: Settings, newest: str) -> int:
    """How many of the listed successions have come to pass by the newest publication: those of the future wait."""
    if not newest or not any((settings.accepted / SUCCESSIONS).glob("*.parquet")):
        return 0
    with warehouse.connect(settings) as connection:
        [count] = connection.execute(
            f"SELECT count(*) FROM {warehouse.accepted_file(settings.accepted / SUCCESSIONS / '*.parquet')} "
            "WHERE effective_date <= CAST(? AS TIMESTAMPTZ)",
            [newest],
        ).fetchone() or (0,)
    return int(count)
