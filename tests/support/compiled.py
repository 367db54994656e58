"""The dbt project's own SQL on an in-memory database: rows in, rows of a mart out, in a fraction of a second.

The project is compiled once; sources become tables that a test fills, seeds are the project's own files, and only the
models that the asked ones are made of are run, in the order that dbt would run them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines import settings
from pipelines.adapters import catalogue, records

SOURCE = re.compile(
    r"read_parquet\(getvariable\('(?:accepted|operations)'\) \|\| '/([a-z0-9_]+)(?:/\*)?\.parquet'[^)]*\)"
)

PERSON_LEVEL = "_person_level"


class CompiledProject:
    """The compiled models of the dbt project; `run` builds what a test asks for."""

    def __init__(self, folder: Path) -> None:
        """Compile the project with all state below `folder`. Fails with dbt's own words."""
        environment = {
            **os.environ,
            **settings.QUIET,
            "DATASTORE_HOME": str(folder),
            "DATASTORE_KEYS": str(folder / "keys"),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
        }
        done = subprocess.run(
            [settings.program("dbt"), "compile", "--profiles-dir", ".", "--quiet"],
            cwd=settings.DBT_PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        nodes = json.loads((folder / "target" / "manifest.json").read_text())["nodes"]
        self.models = {n["name"]: n for n in nodes.values() if n["resource_type"] == "model"}
        self.seeds = {n["name"]: n for n in nodes.values() if n["resource_type"] == "seed"}
        self.names = {key: node["name"] for key, node in nodes.items()}

    def run(
        self,
        wanted: Sequence[str],
        sources: dict[str, list[dict[str, Any]]],
        seeds: dict[str, list[dict[str, Any]]] | None = None,
    ) -> duckdb.DuckDBPyConnection:
        """A connection whose schemas hold the wanted models and all that they are made of.

        `sources` has rows by feed or operations record, with the columns of its schema (those left out are null);
        `seeds` replaces the rows of a seed.
        """
        connection = duckdb.connect(":memory:")
        needed = self._needed(wanted)
        for database in sorted({"build", *(node["database"] for node in needed)}):
            connection.execute(f"ATTACH ':memory:' AS {database}")
        declared = {"feeds": records.feed_rows()}
        for name in sorted({name for node in needed for name in SOURCE.findall(node.get("compiled_code") or "")}):
            _fill(connection, name, sources.get(name, declared.get(name, [])), _schema(name))
        for node in needed:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {node['database']}.{node['schema']}")
            if node["resource_type"] == "seed":
                self._seed(connection, node, (seeds or {}).get(node["name"]))
            else:
                sql = SOURCE.sub(r"memory.source.\1", node["compiled_code"])
                connection.execute(f"CREATE TABLE {node['relation_name']} AS {sql}")
            if node["database"] != "build":
                # Published, all marts stand in one schema, and those of a basis in one table.
                shown = f"build.{node['schema']}.{node['name'].removesuffix(PERSON_LEVEL)}"
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS build.{node['schema']}")
                connection.execute(f"CREATE VIEW {shown} AS SELECT * FROM {node['relation_name']}")
        connection.execute("USE build")
        return connection

    def person_level(self, mart: str) -> str:
        """The model that a mart has its rows of person-level feeds from."""
        return f"{mart}{PERSON_LEVEL}" if f"{mart}{PERSON_LEVEL}" in self.models else mart

    def _needed(self, wanted: Iterable[str]) -> list[dict[str, Any]]:
        """The models and seeds that these are made of, themselves included, each after what it needs."""
        ordered: dict[str, dict[str, Any]] = {}

        def visit(name: str) -> None:
            if name in ordered:
                return
            node = self.models.get(name) or self.seeds[name]
            for parent in node["depends_on"].get("nodes", []):
                if parent in self.names:
                    visit(self.names[parent])
            ordered[name] = node

        for name in wanted:
            visit(name)
        return list(ordered.values())

    @staticmethod
    def _seed(connection: duckdb.DuckDBPyConnection, node: dict[str, Any], rows: list[dict[str, Any]] | None) -> None:
        path = settings.DBT_PROJECT / node["original_file_path"]
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in node["config"]["column_types"].items())
        read = f"read_csv('{path}', header = true, types = {{{types}}})"
        connection.execute(f"CREATE TABLE {node['relation_name']} AS SELECT * FROM {read}")
        if rows is not None:
            connection.execute(f"DELETE FROM {node['relation_name']}")
            for row in rows:
                marks = ", ".join("?" for _ in row)
                connection.execute(
                    f"INSERT INTO {node['relation_name']} ({', '.join(row)}) VALUES ({marks})", list(row.values())
                )


# Columns of person-level feeds are declared with their SQL types. Polars has no UUID.
SQL_TYPES: dict[str, Any] = {
    "VARCHAR": pl.String,
    "UUID": pl.String,
    "DATE": pl.Date,
    "TIMESTAMP": pl.Datetime("us"),
    "INTEGER": pl.Int32,
    "BIGINT": pl.Int64,
    "BOOLEAN": pl.Boolean,
}


def _schema(name: str) -> dict[str, Any]:
    """Columns and types of a source."""
    if name in records.SCHEMAS:
        return records.SCHEMAS[name]
    feed = catalogue.feed(name)
    return feed.records.accepted_schema() if feed.records else feed.accepted_schema()


def _fill(connection: duckdb.DuckDBPyConnection, name: str, rows: list[dict[str, Any]], schema: dict[str, Any]) -> None:
    """A source as a table, with the column `filename` that reading a Parquet file gives."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS source")
    types = {column: SQL_TYPES.get(kind, kind) if isinstance(kind, str) else kind for column, kind in schema.items()}
    frame = pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=types)
    columns = [f"CAST({column} AS {kind})" if isinstance(kind, str) else column for column, kind in schema.items()]
    named = ", ".join(f"{value} AS {column}" for value, column in zip(columns, schema, strict=True))
    connection.register("frame", frame)
    connection.execute(f"CREATE TABLE source.{name} AS SELECT {named}, '{name}.parquet' AS filename FROM frame")
    connection.unregister("frame")
