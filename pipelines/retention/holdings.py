"""What the store holds, and where: by dataset and by zone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.adapters import releases
from pipelines.adapters.landing import Held, Landing
from pipelines.settings import Settings

# Every zone that may hold something of a dataset, in the order of the road of a file, and what it holds.
ZONES = {
    "inbox": "files as they came, not received yet",
    "landing": "sealed originals and their manifests",
    "accepted": "typed rows, encrypted",
    "quarantine": "why a batch was refused",
    "operations": "records of batches, checks and releases, encrypted",
    "build": "the build databases, encrypted",
    "published": "releases: the public tier in clear, the internal tier encrypted",
    "extracts": "extracts for approved requests",
    "dagster": "Dagster's runs, events and logs, results of checks",
    "dbt": "what dbt compiled and logged",
    "tmp": "spill and half-written files",
}
# Zones whose files are made of the originals: all of a generation, under keys of its own.
DERIVED_ZONES = ("accepted", "operations", "build")
PIECE = 1024**2


@dataclass(frozen=True)
class Found:
    """A file as it lies: its zone, its path below the store's home, its size."""

    zone: str
    path: Path
    size: int


def batches(settings: Settings, feed: str | None = None, agreement: str | None = None) -> list[Held]:
    """Every batch held, of one feed, of one agreement, or of all."""
    return [
        held for held in Landing(settings).batches(feed) if agreement is None or held.manifest["agreement"] == agreement
    ]


def files(settings: Settings, zone: str) -> Iterator[Found]:
    """Every file of a zone; what certifies an end is no part of a release."""
    folder = settings.home / zone
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and settings.certificates not in path.parents:
            yield Found(zone, path, path.stat().st_size)


def by_zone(settings: Settings) -> list[dict[str, Any]]:
    """How many files and bytes each zone has now."""
    counted = []
    for zone, meaning in ZONES.items():
        found = list(files(settings, zone))
        counted.append({"zone": zone, "holds": meaning, "files": len(found), "bytes": sum(one.size for one in found)})
    return counted


def of_dataset(settings: Settings, held: Sequence[Held]) -> dict[str, Any]:
    """What is held of a dataset and where, in counts."""
    ids = {(one.feed, one.sha256) for one in held}
    named = len(releases.kept(settings)) if any(one.verdict == "accepted" for one in held) else 0
    return {
        "sealed_originals": len(ids),
        "sealed_bytes": sum(int(one.manifest["size_bytes"]) for one in held),
        "accepted_files": sum(one.accepted_path.exists() for one in held),
        "quarantine_records": sum(one.quarantine_path.exists() for one in held),
        "build_generations": [settings.generation] if settings.build.exists() and named else [],
        "releases": named,
    }


def sha256(path: Path) -> str:
    """SHA-256 of a file as it lies."""
    told = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            told.update(piece)
    return told.hexdigest()
