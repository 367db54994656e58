"""Releases: folders under `published/`, and the link `current` to the one that is served.

A release is built beside the others under a hidden name, renamed whole, and then served by replacing one link.
Whoever has a file of an older release open keeps reading it. The last `KEPT` releases stay.

The internal tier's database begins as a copy of the file in which dbt keeps the marts of person-level feeds, whose key
it has; the other marts are added to the copy. Marts of person-level feeds have no Parquet (docs/decisions).
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.adapters import audit, warehouse
from pipelines.adapters.files import copy, sync_folder, write_json
from pipelines.settings import Settings, now

KEPT = 7
CURRENT = "current"
TIERS = ("public", "internal")
# The oldest storage format that keeps comments: every DuckDB from 1.2 on opens it.
PUBLIC_STORAGE = "v1.2.0"

# How a release is read: no variable of Python is a table, and spill is encrypted as everywhere.
READER = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "temp_file_encryption": True,
}

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
    A mart `of_persons` is a table of the internal database and published with that file; when it may reach the public
    tier too, its published rows are added to those of persons in the internal tier.
    """

    schema: str
    name: str
    view: str | None
    tier: str
    description: str
    columns: dict[str, str]
    of_persons: bool = False

    @property
    def is_built(self) -> bool:
        """Whether the build has rows of it."""
        return not self.of_persons or self.tier == "public"

    def rows(self, tier: str) -> str:
        """The query on the build that gives its rows: of the public tier without what is said of person-level feeds."""
        wanted = []
        if self.view is not None:
            wanted.append(f"organisation_view = {warehouse.quoted(self.view)}")
        if tier == "public" and "feed" in self.columns:
            wanted.append("coalesce(feed, '') NOT IN (SELECT feed FROM build.staging.stg_feeds WHERE kind = 'persons')")
        where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
        columns = "*" if self.view is None else "* EXCLUDE (organisation_view)"
        return f"SELECT {columns} FROM build.marts.{self.name}{where} ORDER BY ALL"

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


class Unpublishable(Exception):
    """What was built may not leave as it is; one line that names the mart."""


def publish(settings: Settings, governance: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Copy the marts of the build into a new release and serve it; returns its record.

    `governance`, what governs each dataset in it, is kept with the release and in the audit trail, which outlives it.
    The caller sees to it that nobody else publishes at the same time. Raises `Unpublishable`, and then nothing has
    changed for readers.
    """
    _clear_unfinished(settings)
    folder = settings.published / f".{uuid.uuid4().hex}"
    try:
        with warehouse.build(settings) as connection:
            forms = _known_forms(connection)
            marts = _marts(connection, forms)
            about = _about(connection)
            rows = {mart.name: _count(connection, mart) for mart in marts if mart.schema == MARTS}
            # Its file is copied next: nothing of it may be in a log of writes, and nobody may have it open.
            connection.execute(f"CHECKPOINT {warehouse.INTERNAL}")
            connection.execute(f"DETACH {warehouse.INTERNAL}")
            for tier in TIERS:
                path = folder / tier / "datastore.duckdb"
                path.parent.mkdir(parents=True, mode=0o755)
                chosen = [mart for mart in marts if tier == "internal" or mart.tier == "public"]
                names = {mart.name for mart in chosen}
                _write_tier(connection, settings, path, tier, chosen, [form for form in forms if form.mart in names])
        release_id = str(about["release_id"])
        record = {**about, "published_at": now().isoformat(), "generation": settings.generation, "rows": rows}
        record["governance"] = list(governance)
        write_json(folder / "release.json", record)
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(0o444)
        folder.chmod(0o755)
        final = settings.published / release_id
        os.rename(folder, final)
        sync_folder(settings.published)
        audit.record(settings, "publish", release_id=release_id, governance=record["governance"])
        serve(settings, release_id)
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


def open_tier(folder: Path, tier: str, key: str | None = None, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to a release that reaches no other file. Raises DuckDB's error on a wrong key.

    What does not fit into memory goes, encrypted, to the folder `spill`; without one it is an error.
    """
    path = folder / tier / "datastore.duckdb"
    connection = duckdb.connect(config=READER)
    try:
        # The build's crypto module is faster than the built-in one, and the only one that writes.
        connection.load_extension(warehouse.crypto_extension())
        connection.execute(f"SET temp_directory = {warehouse.quoted(spill or '')}")
        connection.execute("SET TimeZone = 'UTC'")
        warehouse.limit(connection)
        option = f", ENCRYPTION_KEY {warehouse.quoted(key)}" if key is not None else ""
        connection.execute(f"ATTACH {warehouse.quoted(path)} AS datastore (READ_ONLY{option})")
        connection.execute("USE datastore")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error:
        connection.close()
        raise
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
    built = {
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = ?",
            [warehouse.BUILD, MARTS],
        ).fetchall()
    }
    of_persons = _marts_of_persons(connection, tiers, built)
    views: dict[str, dict[str, str]] = {}
    for form in forms:
        views.setdefault(form.mart, {})[form.schema] = form.view
    marts = []
    for table, meanings in sorted(columns.items()):
        description = meanings.pop("", "")
        if table not in built and table not in of_persons and tiers[table] == "internal":
            continue  # no person-level feed has been built yet
        for schema, view in views.get(table, {MARTS: None}).items():
            told = RE_EXPRESSED.get(view or "", "") + description
            persons = schema == MARTS and table in of_persons
            marts.append(Mart(schema, table, view, tiers[table], told, meanings, persons))
    return marts


def _marts_of_persons(connection: duckdb.DuckDBPyConnection, tiers: dict[str, str], built: set[str]) -> set[str]:
    """The marts in the internal database; one that the project has no more is dropped.

    Raises `Unpublishable` when anything else lies there than marts that are declared internal, or rows of persons of a
    mart that the build has too: the file is published.
    """
    found = connection.execute(
        "SELECT schema_name, table_name, true FROM duckdb_tables() WHERE database_name = $1 UNION ALL "
        "SELECT schema_name, view_name, false FROM duckdb_views() WHERE database_name = $1 AND NOT internal "
        "ORDER BY ALL",
        [warehouse.INTERNAL],
    ).fetchall()
    names = set()
    for schema, name, is_table in found:
        if schema != MARTS or not is_table:
            raise Unpublishable(f"{schema}.{name} lies in the internal database, which holds the tables of marts alone")
        if name not in tiers:
            connection.execute(f"DROP TABLE {warehouse.INTERNAL}.{schema}.{name}")
        elif tiers[name] != "internal" and name not in built:
            raise Unpublishable(f"mart {name} lies in the internal database and is not declared internal (meta tier)")
        else:
            names.add(name)
    return names


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
        key = warehouse.internal_key(settings).text
        connection.execute(f"PRAGMA add_parquet_key('internal_tier', {warehouse.quoted(key)})")
        option = f"ENCRYPTION_KEY {warehouse.quoted(key)}"
        parquet = "FORMAT parquet, COMPRESSION zstd, ENCRYPTION_CONFIG {footer_key: 'internal_tier'}"
        copy(settings.internal_build, path)
    connection.execute(f"ATTACH {warehouse.quoted(path)} AS release ({option})")
    # One transaction: each of the hundreds of comments would wait for the disk.
    connection.execute("BEGIN")
    for schema in sorted({mart.schema for mart in marts}):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS release.{schema}")
    for mart in marts:
        target = f"release.{mart.schema}.{mart.name}"
        is_copied = tier == "internal" and mart.of_persons
        if not is_copied:
            connection.execute(f"CREATE TABLE {target} AS {mart.rows(tier)}")
        elif mart.is_built:
            connection.execute(f"INSERT INTO {target} BY NAME {mart.rows(tier)}")
        connection.execute(f"COMMENT ON TABLE {target} IS {warehouse.quoted(mart.description)}")
        for column, meaning in mart.columns.items():
            connection.execute(f"COMMENT ON COLUMN {target}.{column} IS {warehouse.quoted(meaning)}")
        if is_copied:
            continue
        part = path.parent / mart.parquet
        part.parent.mkdir(parents=True)
        # In the order of its rows: the connection keeps the order in which they were put in.
        connection.execute(f"COPY {target} TO {warehouse.quoted(part)} ({parquet})")
    _refuse_pseudonyms(connection)
    connection.execute("USE release")
    connection.execute(AS_KNOWN_ON)
    for form in forms:
        connection.execute(f"CREATE MACRO {form.schema}.{form.name}(known_on) AS TABLE {form.definition}")
    connection.execute("COMMIT")
    connection.execute("USE memory")
    connection.execute("CHECKPOINT release")
    connection.execute("DETACH release")


def _refuse_pseudonyms(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise `Unpublishable` when a column holds pseudonyms or record keys, which are all the UUIDs there are."""
    found = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE database_name = 'release' AND contains(data_type, 'UUID') ORDER BY ALL"
    ).fetchone()
    if found:
        raise Unpublishable(f"mart {found[0]}, column {found[1]}: pseudonyms and record keys stay in the build")


def _count(connection: duckdb.DuckDBPyConnection, mart: Mart) -> int:
    """Rows of a mart in the internal tier, which has them all."""
    parts = [f"({mart.rows('internal')})"] if mart.is_built else []
    parts += [f"{warehouse.INTERNAL}.{mart.schema}.{mart.name}"] if mart.of_persons else []
    counts = [connection.execute(f"SELECT count(*) FROM {part}").fetchone() for part in parts]
    return sum(int(counted[0]) for counted in counts if counted)


# What was known at the end of a day: versions that began on it or before and had not ended.
AS_KNOWN_ON = """
CREATE MACRO marts.as_known_on(day) AS TABLE
SELECT * FROM marts.observation
WHERE known_from < CAST(day AS DATE) + INTERVAL 1 DAY
AND (known_to IS NULL OR known_to >= CAST(day AS DATE) + INTERVAL 1 DAY)
"""


def serve(settings: Settings, release_id: str) -> None:
    """Serve a release, in one step."""
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
