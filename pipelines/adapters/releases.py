"""Releases: folders under `published/`, and the link `current` to the one that is served.

A release is built beside the others under a hidden name, renamed whole, and then served by replacing one link.
Whoever has a file of an older release open keeps reading it. The last `KEPT` releases stay.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.adapters import warehouse
from pipelines.adapters.files import sync_folder, write_json
from pipelines.adapters.keys import KeyStore
from pipelines.settings import Settings

KEPT = 7
CURRENT = "current"
TIERS = ("public", "internal")
# The oldest storage format that keeps comments: every DuckDB from 1.2 on opens it.
PUBLIC_STORAGE = "v1.2.0"


# The schema of marts with organisations as reported; the other views have schemas of their own beside it.
MARTS = "marts"
# What the tables of such a schema say first of themselves; what they have in common with those in `marts` follows.
RE_EXPRESSED = {
    "as_at_date": (
        "Organisations as they were on the day of each figure: a return under a code that had been succeeded by then "
        "counts as its successor's, and region and ICB are those that ODS gives for the day. A split organisation's "
        "figure stays at its old code, with status not_apportionable. Otherwise as in schema marts: "
    ),
    "as_current": (
        "Organisations as they are now: a return counts as that of the organisation which goes on from its own, and "
        "region and ICB are those that ODS gives now. A split organisation's figure stays at its old code, with status "
        "not_apportionable. Otherwise as in schema marts: "
    ),
}


@dataclass(frozen=True)
class Mart:
    """A table to publish: where, from which rows, the tier it may reach, what it and its columns mean.

    `view` is the organisation view that a table of a subject mart shows, None for a mart that is published whole.
    """

    schema: str
    name: str
    view: str | None
    tier: str
    description: str
    columns: dict[str, str]

    @property
    def rows(self) -> str:
        """The query on the build that gives its rows."""
        if self.view is None:
            return f"SELECT * FROM build.marts.{self.name} ORDER BY ALL"
        return (
            f"SELECT * EXCLUDE (organisation_view) FROM build.marts.{self.name} "
            f"WHERE organisation_view = {warehouse.quoted(self.view)} ORDER BY ALL"
        )

    @property
    def parquet(self) -> Path:
        """Its Parquet file below the tier's folder."""
        return Path(self.schema.replace(MARTS, "parquet", 1)) / self.name / f"{self.name}.parquet"


@dataclass(frozen=True)
class KnownForm:
    """A table macro beside a subject mart: the mart, or its returns, as known at the end of a day."""

    schema: str
    view: str
    mart: str
    name: str
    definition: str


class NoRelease(Exception):
    """Nothing has been published yet."""


def publish(settings: Settings) -> dict[str, Any]:
    """Copy the marts of the build into a new release and serve it; returns its record.

    The caller sees to it that nobody else publishes at the same time.
    """
    _clear_unfinished(settings)
    folder = settings.published / f".{uuid.uuid4().hex}"
    try:
        with warehouse.build(settings, read_only=True) as connection:
            forms = _known_forms(connection)
            marts = _marts(connection, forms)
            about = _about(connection)
            for tier in TIERS:
                path = folder / tier / "datastore.duckdb"
                path.parent.mkdir(parents=True, mode=0o755)
                chosen = [mart for mart in marts if tier == "internal" or mart.tier == "public"]
                names = {mart.name for mart in chosen}
                _write_tier(connection, settings, path, tier, chosen, [form for form in forms if form.mart in names])
            rows = {mart.name: _count(connection, mart) for mart in marts if mart.schema == MARTS}
        release_id = str(about["release_id"])
        record = {**about, "published_at": dt.datetime.now(dt.UTC).isoformat(), "rows": rows}
        write_json(folder / "release.json", record)
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(0o444)
        folder.chmod(0o755)
        final = settings.published / release_id
        os.rename(folder, final)
        sync_folder(settings.published)
        _serve(settings, release_id)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _prune(settings)
    return record


def current(settings: Settings) -> Path:
    """The folder of the release that is served; raises `NoRelease`."""
    link = settings.published / CURRENT
    if not link.exists():
        raise NoRelease("nothing is published yet: run `datastore refresh`")
    return link.resolve()


def record(folder: Path) -> dict[str, Any]:
    """The record of a release."""
    return dict(json.loads((folder / "release.json").read_text()))


def kept(settings: Settings) -> list[Path]:
    """Every release folder, oldest first."""
    return sorted(path.parent for path in settings.published.glob("[0-9]*/release.json"))


def open_tier(folder: Path, tier: str, key: str | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to a release that reaches no other file. Raises DuckDB's error on a wrong key."""
    path = folder / tier / "datastore.duckdb"
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    option = f", ENCRYPTION_KEY {warehouse.quoted(key)}" if key is not None else ""
    connection.execute(f"ATTACH {warehouse.quoted(path)} AS datastore (READ_ONLY{option})")
    connection.execute("USE datastore")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _about(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The row of mart `release` for the release that is being built."""
    found = connection.execute(
        "SELECT release_id, code_version, batches_accepted, batches_quarantined, row_count "
        "FROM build.marts.release WHERE is_current"
    )
    names = [column[0] for column in found.description or []]
    return dict(zip(names, found.fetchall()[0], strict=True))


def _known_forms(connection: duckdb.DuckDBPyConnection) -> list[KnownForm]:
    rows = connection.execute(
        "SELECT schema_name, organisation_view, mart, macro_name, definition "
        "FROM build.intermediate.int_publishing__known_forms ORDER BY ALL"
    ).fetchall()
    return [KnownForm(*row) for row in rows]


def _marts(connection: duckdb.DuckDBPyConnection, forms: list[KnownForm]) -> list[Mart]:
    """The tables of a release: a subject mart is one in the schema of each organisation view."""
    rows = connection.execute(
        "SELECT table_name, column_name, description, tier FROM build.marts.dictionary ORDER BY ALL"
    ).fetchall()
    columns: dict[str, dict[str, str]] = {}
    for table, column, description, _ in rows:
        columns.setdefault(table, {})[column] = description
    tiers = {table: tier for table, _, _, tier in rows}
    views: dict[str, dict[str, str]] = {}
    for form in forms:
        views.setdefault(form.mart, {})[form.schema] = form.view
    marts = []
    for table, meanings in sorted(columns.items()):
        description = meanings.pop("", "")
        for schema, view in views.get(table, {MARTS: None}).items():
            told = RE_EXPRESSED.get(view or "", "") + description
            marts.append(Mart(schema, table, view, tiers[table], told, meanings))
    return marts


def _write_tier(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    path: Path,
    tier: str,
    marts: list[Mart],
    forms: list[KnownForm],
) -> None:
    if tier == "public":
        option = f"STORAGE_VERSION '{PUBLIC_STORAGE}'"
        parquet = "FORMAT parquet, COMPRESSION zstd"
    else:
        key = KeyStore(settings.keys).internal_tier().text
        connection.execute(f"PRAGMA add_parquet_key('internal_tier', {warehouse.quoted(key)})")
        option = f"ENCRYPTION_KEY {warehouse.quoted(key)}"
        parquet = "FORMAT parquet, COMPRESSION zstd, ENCRYPTION_CONFIG {footer_key: 'internal_tier'}"
    connection.execute(f"ATTACH {warehouse.quoted(path)} AS release ({option})")
    for schema in sorted({mart.schema for mart in marts}):
        connection.execute(f"CREATE SCHEMA release.{schema}")
    for mart in marts:
        target = f"release.{mart.schema}.{mart.name}"
        connection.execute(f"CREATE TABLE {target} AS {mart.rows}")
        connection.execute(f"COMMENT ON TABLE {target} IS {warehouse.quoted(mart.description)}")
        for column, meaning in mart.columns.items():
            connection.execute(f"COMMENT ON COLUMN {target}.{column} IS {warehouse.quoted(meaning)}")
        part = path.parent / mart.parquet
        part.parent.mkdir(parents=True)
        # In the order of its rows: the connection keeps the order in which they were put in.
        connection.execute(f"COPY {target} TO {warehouse.quoted(part)} ({parquet})")
    connection.execute("USE release")
    connection.execute(AS_KNOWN_ON)
    for form in forms:
        connection.execute(f"CREATE MACRO {form.schema}.{form.name}(known_on) AS TABLE {form.definition}")
    connection.execute("USE memory")
    connection.execute("CHECKPOINT release")
    connection.execute("DETACH release")


def _count(connection: duckdb.DuckDBPyConnection, mart: Mart) -> int:
    counted = connection.execute(f"SELECT count(*) FROM ({mart.rows})").fetchone()
    return int(counted[0]) if counted else 0


# What was known at the end of a day: versions that began on it or before and had not ended.
AS_KNOWN_ON = """
CREATE MACRO marts.as_known_on(day) AS TABLE
SELECT * FROM marts.observation
WHERE known_from < CAST(day AS DATE) + INTERVAL 1 DAY
AND (known_to IS NULL OR known_to >= CAST(day AS DATE) + INTERVAL 1 DAY)
"""


def _serve(settings: Settings, release_id: str) -> None:
    link = settings.published / f".{CURRENT}-{uuid.uuid4().hex[:8]}"
    link.symlink_to(release_id)
    os.replace(link, settings.published / CURRENT)
    sync_folder(settings.published)


def _prune(settings: Settings) -> None:
    served = current(settings)
    for folder in kept(settings)[:-KEPT]:
        if folder != served:
            shutil.rmtree(folder, ignore_errors=True)


def _clear_unfinished(settings: Settings) -> None:
    """Remove what a killed refresh left half-written."""
    for path in settings.published.glob(".*"):
        if path.is_symlink() or path.is_file():
            path.unlink()
        else:
            shutil.rmtree(path, ignore_errors=True)
