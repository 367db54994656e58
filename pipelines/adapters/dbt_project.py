"""The dbt project's manifest, made when it is missing or the project changed; nothing under the checkout is written."""

from __future__ import annotations

import contextlib
import hashlib
import io
from pathlib import Path

from dagster_dbt import DbtProject

from pipelines import settings
from pipelines.adapters.files import lock, replace_with


class ProjectBroken(Exception):
    """The dbt project does not parse; the message is dbt's first line."""


def project() -> DbtProject:
    """The project with an up-to-date manifest. Raises `ProjectBroken`."""
    here = settings.load()
    settings.prepare(here)
    found = DbtProject(project_dir=settings.DBT_PROJECT, profiles_dir=settings.DBT_PROJECT, target_path=here.dbt_target)
    stamp = here.dbt_target / "parsed"
    with lock(here.locks / "dbt_parse"):
        now = digest()
        if not found.manifest_path.exists() or not stamp.exists() or stamp.read_text() != now:
            _parse()
            replace_with(stamp, now.encode())
    return found


def digest() -> str:
    """Of every file that dbt parses."""
    digest = hashlib.sha256()
    for path in sorted(settings.DBT_PROJECT.rglob("*")):
        if path.suffix in (".sql", ".yml", ".csv", ".py") and path.is_file():
            digest.update(str(path.relative_to(settings.DBT_PROJECT)).encode() + path.read_bytes())
    return digest.hexdigest()


def _parse() -> None:
    from dbt.cli.main import dbtRunner

    folder = str(Path(settings.DBT_PROJECT))
    with contextlib.redirect_stdout(io.StringIO()):
        result = dbtRunner().invoke(["parse", "--project-dir", folder, "--profiles-dir", folder, "--quiet"])
    if not result.success:
        raise ProjectBroken(f"dbt_project does not parse: {str(result.exception).splitlines()[0]}")
