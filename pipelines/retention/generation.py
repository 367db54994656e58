"""A new generation: everything that is made of originals, made again without some of them, aside, under new keys.

The release is made by the same refresh as every night, in a store of its own below the execution's folder, which sees
the batches that stay and nothing else. Until `switch` the store itself is untouched. `switch` puts the new zones into
the place of the old ones by renames; done again after a crash it goes on where it was.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from pipelines.adapters import releases, warehouse
from pipelines.adapters.files import destroy_folder, replace_with, sync_folder
from pipelines.adapters.keys import DERIVED, INTERNAL_TIER, KeyStore
from pipelines.adapters.landing import Held, Landing
from pipelines.domain.retention import NotDone
from pipelines.retention import withdrawal
from pipelines.retention.holdings import DERIVED_ZONES
from pipelines.settings import PROJECT_ROOT, Settings

NEXT, OLD = "next", "old"


def make(
    settings: Settings, folder: Path, without: Collection[Held], anew: Callable[[Settings], set[Held]] | None = None
) -> str:
    """Make the next generation in `folder` without some batches; returns the id of its release.

    `anew` makes batches again in the store that is made there, and says which; their accepted rows are its own.
    Raises `NotDone` with the gate's reason when it may not be released; then nothing of it is left.
    """
    discard(settings, folder)
    aside = Settings(home=folder / NEXT, keys=settings.keys)
    aside.home.mkdir(parents=True, mode=0o700)
    replace_with(aside.home / "generation", str(settings.generation + 1).encode())
    aside.audit.parent.symlink_to(settings.audit.parent)
    stay = [held for held in Landing(settings).batches() if held not in set(without)]
    try:
        made = anew(aside) if anew else set()
    except BaseException:
        discard(settings, folder)
        raise
    for held in stay:
        there = aside.landing / held.feed / held.sha256
        there.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if held not in made:
            there.symlink_to(held.folder)
        if held.quarantine_path.exists():
            record = aside.quarantine / held.feed / held.quarantine_path.name
            record.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            record.symlink_to(held.quarantine_path)
    accepted = [held.accepted_path for held in stay if held.accepted_path.exists()]
    if not accepted:
        return _empty(aside)
    as_it_is = [held.accepted_path for held in stay if held.accepted_path.exists() and held not in made]
    warehouse.encrypt_anew(settings, aside, [path.relative_to(settings.accepted) for path in as_it_is])
    if settings.dbt_target.exists():  # what dbt has parsed names no store
        shutil.copytree(settings.dbt_target, aside.dbt_target, ignore=shutil.ignore_patterns("run"))
    environment = {**os.environ, "DATASTORE_HOME": str(aside.home), "DATASTORE_KEYS": str(aside.keys)}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "refresh", "--json"],
        env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        told = json.loads(done.stdout)
    except ValueError:
        told = {"published": False, "reasons": done.stderr.splitlines() or ["the refresh failed"]}
    if not told["published"]:
        discard(settings, folder)
        raise NotDone(f"the release cannot be made without it, so nothing was ended: {told['reasons'][0]}")
    return str(told["release"]["release_id"])


def discard(settings: Settings, folder: Path) -> None:
    """Remove a generation that was not switched to, and its keys."""
    generation = settings.generation + 1
    keys = KeyStore(settings)
    unused = [f"{family}.{generation}" for family in (DERIVED, INTERNAL_TIER)]
    unused += withdrawal.made_keys(Settings(home=folder / NEXT, keys=settings.keys))
    destroy_folder(folder / NEXT)
    keys.destroy([key for key in unused if keys.exists(key)], "a generation that was never in use")


def switch(settings: Settings, folder: Path, release_id: str) -> None:
    """Put the generation in `folder` into its place; what was there before lies in `folder/old` afterwards."""
    following, old = folder / NEXT, folder / OLD
    old.mkdir(exist_ok=True, mode=0o700)
    if release_id and (following / "published" / release_id).exists():
        os.rename(following / "published" / release_id, settings.published / release_id)
        sync_folder(settings.published)
    if release_id:
        releases.serve(settings, release_id)
    else:
        (settings.published / releases.CURRENT).unlink(missing_ok=True)
    for zone in DERIVED_ZONES:
        here = settings.home / zone
        if here.exists() and not (old / zone).exists():
            os.rename(here, old / zone)
        if (following / zone).exists():
            if here.exists():  # made, and empty, by a command that ran between a crash and this
                here.rmdir()
            os.rename(following / zone, here)
    for name in ("last_refresh.json", "generation"):
        if (following / name).exists():
            os.replace(following / name, settings.home / name)
    sync_folder(settings.home)


def _empty(aside: Settings) -> str:
    """Nothing stays that could be released: empty zones, and no release."""
    for zone in DERIVED_ZONES:
        (aside.home / zone).mkdir(mode=0o700)
    return ""
