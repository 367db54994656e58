"""Questions to the current release: one that only reads marts, its rows in batches, an error in one line.

The release is attached read-only to a connection that reaches no other file. On top of that a question is refused by
what stands in its syntax tree, before anything of it runs: a SELECT alone, on marts and the catalogue's harmless
views, with none of the functions that read files, settings or paths, or run a text as SQL. An error of the SQL's own
text is quoted; one that comes while rows are read could quote a value, so only its kind is told.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from pipelines.adapters import audit, releases
from pipelines.adapters.keys import KeyMissing, KeyStore
from pipelines.domain.refusals import printable
from pipelines.settings import Settings

Rows = list[tuple[Any, ...]]

ROWS_A_BATCH = 10_000

TABLE_FUNCTIONS = {
    "duckdb_columns",
    "duckdb_constraints",
    "duckdb_functions",
    "duckdb_schemas",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "json_each",
    "json_tree",
    "pragma_table_info",
    "range",
    "repeat",
    "repeat_row",
    "unnest",
}
# Functions that tell settings and variables, or run or plan a text as SQL.
NO_FUNCTIONS = {
    "current_setting",
    "getenv",
    "getvariable",
    "json_execute_serialized_sql",
    "json_serialize_plan",
    "query",
    "query_table",
    "write_log",
}
# Views of the catalogue that tell paths, settings or what else the connection holds.
NO_VIEWS = {
    "duckdb_databases",
    "duckdb_logs",
    "pg_database",
    "pg_prepared_statements",
    "pg_settings",
    "pg_tablespace",
    "pragma_database_list",
}
SCHEMAS_OF_THE_CATALOGUE = {"", "main", "information_schema", "pg_catalog"}
CATALOGUES = {"", "datastore", "system"}
SHOWN = {'"tables"', "__show_tables_expanded"}

# Errors that are found in the text of the question, before a row is read.
OF_THE_TEXT = (duckdb.ParserException, duckdb.SyntaxException, duckdb.BinderException, duckdb.CatalogException)
KINDS: dict[type[Exception], str] = {
    duckdb.ConversionException: "a value cannot be converted to the type asked for (try_cast gives null instead)",
    duckdb.OutOfRangeException: "a number is out of the range of its type",
    duckdb.InvalidInputException: "a function was given a value that it does not take",
    duckdb.PermissionException: "only the marts of the release can be read",
    duckdb.IOException: "only the marts of the release can be read",
    duckdb.OutOfMemoryException: "it needs more memory than there is (DATASTORE_MEMORY): ask for less at a time",
}


class NoAnswer(Exception):
    """The question cannot be answered; one line that says why and holds no value of the data."""


def own_key(settings: Settings) -> str | None:
    """The key of the served internal tier from the key store; None where this account cannot read it."""
    try:
        generation = int(releases.record(releases.current(settings)).get("generation", 1))
        return KeyStore(settings).internal_tier(generation).text
    except (KeyMissing, OSError, releases.NoRelease):
        return None


@contextlib.contextmanager
def ask(settings: Settings, sql: str, tier: str, key: str | None) -> Iterator[tuple[list[str], Iterator[Rows]]]:
    """Column names and rows in batches, while the context is open.

    Raises `NoAnswer` on bad or refused SQL, a wrong key, or when nothing is published; the batches raise it too. A
    question to the internal tier is in the audit trail before anything of it runs.
    """
    try:
        folder = releases.current(settings)
        connection = releases.open_tier(folder, tier, key, _spill(settings))
    except releases.NoRelease as none:
        raise NoAnswer(str(none)) from None
    except duckdb.Error:
        raise NoAnswer(f"the {tier} tier does not open{' with that key' if tier == 'internal' else ''}") from None
    with connection:
        if tier == "internal":
            _record(settings, sql, folder.name)
        text = _one_question(connection, sql)
        try:
            # Binding reads no row, so what it says is about the text; running it is another thing.
            connection.execute(f"PREPARE question AS {text}")
        except duckdb.Error as error:
            raise NoAnswer(_said(error, isinstance(error, OF_THE_TEXT))) from None
        try:
            answer = connection.execute("EXECUTE question")
        except duckdb.Error as error:
            raise NoAnswer(_said(error)) from None
        yield _distinct([column[0] for column in answer.description or []]), _batches(answer)


def _batches(answer: duckdb.DuckDBPyConnection) -> Iterator[Rows]:
    while True:
        try:
            rows = answer.fetchmany(ROWS_A_BATCH)
        except duckdb.Error as error:
            raise NoAnswer(_said(error)) from None
        if not rows:
            return
        yield rows


def _record(settings: Settings, sql: str, release_id: str) -> None:
    digest = hashlib.sha256(sql.encode(errors="surrogateescape")).hexdigest()
    try:
        audit.record(settings, "query", tier="internal", release_id=release_id, sql_sha256=digest)
    except OSError:
        raise NoAnswer(
            "this account cannot write the audit trail, so the internal tier gives it no answer here"
        ) from None


def _spill(settings: Settings) -> Path | None:
    return settings.temporary if os.access(settings.temporary, os.W_OK | os.X_OK) else None


def _one_question(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The text of the one SELECT that was asked. Raises `NoAnswer` for anything else, and for what it may not name."""
    try:
        statements = connection.extract_statements(sql)
        if len(statements) != 1:
            raise NoAnswer(f"{len(statements)} statements: ask one question at a time")
        text = str(statements[0].query)
        found = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [text]).fetchone()
    except duckdb.Error as error:
        raise NoAnswer(_said(error, isinstance(error, OF_THE_TEXT))) from None
    tree = json.loads(found[0]) if found else {"error": True}
    if tree["error"]:
        raise NoAnswer(
            "only a question that reads is answered: one SELECT (or FROM, WITH, VALUES, DESCRIBE, SUMMARIZE)"
        )
    macros = connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE database_name = 'datastore'"
    ).fetchall()
    schemas = connection.execute(
        "SELECT schema_name FROM duckdb_schemas() WHERE database_name = 'datastore'"
    ).fetchall()
    _see_to(
        tree,
        TABLE_FUNCTIONS | {name for (name,) in macros},
        SCHEMAS_OF_THE_CATALOGUE | {name for (name,) in schemas},
    )
    return text


def _see_to(node: Any, functions: set[str], schemas: set[str]) -> None:
    """Raise `NoAnswer` for a part of the syntax tree that may not be named."""
    if isinstance(node, list):
        for part in node:
            _see_to(part, functions, schemas)
        return
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    if kind == "TABLE_FUNCTION":
        name = str(node["function"].get("function_name", "")).lower()
        if name not in functions:
            raise NoAnswer(f"{printable(name)}() cannot be asked: only the marts of the release can be read")
    elif kind == "BASE_TABLE":
        _see_to_table(node, schemas)
    elif kind == "SHOW_REF" and node.get("table_name") and node["table_name"] not in SHOWN:
        raise NoAnswer("of SHOW there is SHOW TABLES and SHOW ALL TABLES; DESCRIBE tells of one")
    elif node.get("class") == "FUNCTION" and str(node.get("function_name", "")).lower() in NO_FUNCTIONS:
        raise NoAnswer(
            f"{printable(node['function_name'])}() cannot be asked: only the marts of the release can be read"
        )
    elif node.get("class") == "PARAMETER":
        raise NoAnswer("the question has a parameter: write its value")
    for part in node.values():
        _see_to(part, functions, schemas)


def _see_to_table(node: dict[str, Any], schemas: set[str]) -> None:
    catalogue, schema, table = (
        str(node.get(part, "")).lower() for part in ("catalog_name", "schema_name", "table_name")
    )
    named = printable(".".join(part for part in (catalogue, schema, table) if part))
    if catalogue not in CATALOGUES or schema not in schemas or any(mark in table for mark in "./\\:*"):
        raise NoAnswer(f"{named} is no mart: only the marts of the release can be read")
    if table in NO_VIEWS:
        raise NoAnswer(f"{named} cannot be asked: only the marts of the release can be read")


def _said(error: Exception, of_the_text: bool = False) -> str:
    """Why a query failed; DuckDB's own words only when they can be about the text of the query alone."""
    if of_the_text:
        return f"the query failed: {printable(str(error).splitlines()[0], 300)}"
    kind = next((said for of, said in KINDS.items() if isinstance(error, of)), None)
    return f"the query failed: {kind or type(error).__name__}"


def _distinct(names: list[str]) -> list[str]:
    """Column names with a number after those that came before, so that no value hides another."""
    given: list[str] = []
    for name in names:
        number, fresh = 0, name
        while fresh in given:
            number += 1
            fresh = f"{name}_{number}"
        given.append(fresh)
    return given
