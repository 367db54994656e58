"""`datastore query` reads marts and nothing else, tells no value when it fails, and is recorded (internal tier)."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.adapters import ask, releases, warehouse
from pipelines.domain.refusals import printable
from tests.support import released
from tests.support.forks import Commands, Ended
from tests.support.guarded import Guarded
from tests.support.stores import Store

# Planted where a question may read it but no message may tell it.
PLANTED = "KANARIEVOGEL-4417"
WAITS = f"""
    SELECT DATE '2020-04-01' + range::INT AS date, 'RZ1' AS org_code, '{PLANTED}' AS note, 250 + range AS minutes
    FROM range(40)
"""
FILE = f"org_code,secret\nRZ1,{PLANTED}\n"


@dataclass
class Asked:
    """A published store, commands on it, and files that no question may reach."""

    store: Store
    commands: Commands
    elsewhere: Path

    def run(self, sql: str, *words: str) -> Ended:
        """`datastore query` as a process of its own."""
        return self.commands.run(self.store, "query", sql, *words)

    def fails(self, sql: str, tier: str = "internal") -> str:
        """Why a question has no answer."""
        with pytest.raises(ask.NoAnswer) as none, ask.ask(self.store.settings, sql, tier, self.key(tier)) as (_, rows):
            list(rows)
        return str(none.value)

    def rows(self, sql: str, tier: str = "internal") -> list[tuple[Any, ...]]:
        """The answer to a question."""
        with ask.ask(self.store.settings, sql, tier, self.key(tier)) as (_, batches):
            return [row for batch in batches for row in batch]

    def key(self, tier: str) -> str | None:
        """The key that opens a tier."""
        return ask.own_key(self.store.settings) if tier == "internal" else None


@pytest.fixture(scope="module")
def asked(guarded: Guarded, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    root = tmp_path_factory.mktemp("asked")
    store = Store(root / "store")
    released.build(store, {"waits": WAITS})
    released.publish(store)
    # Beside the store, and where DuckDB itself may write: its spill, and the release that it has open.
    for folder in (root, store.settings.temporary):
        (folder / "secret.csv").write_text(FILE)
    return Asked(store, guarded.commands, root)


FILES = ("{root}/secret.csv", "{home}/tmp/secret.csv", "{open}", "{keys}/internal_tier.1.key")
WAYS_TO_A_FILE = (
    "FROM '{file}'",
    "FROM read_csv('{file}')",
    "FROM read_csv_auto('{file}')",
    "FROM read_text('{file}')",
    "FROM read_blob('{file}')",
    "FROM sniff_csv('{file}')",
    "FROM glob('{file}*')",
    "FROM read_duckdb('{file}', table_name = 'waits')",
    "FROM parquet_metadata('{file}')",
    "WITH t AS (SELECT * FROM read_text('{file}')) SELECT * FROM t",
    "SELECT (SELECT max(content) FROM read_text('{file}'))",
    "SELECT * FROM marts.waits WHERE note IN (SELECT content FROM read_text('{file}'))",
    "FROM query('FROM read_text(''{file}'')')",
    "FROM query_table('{file}')",
    "FROM histogram('{file}', secret)",
    "SUMMARIZE '{file}'",
    "DESCRIBE FROM '{file}'",
    "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "COPY marts.waits TO '{file}'",
    "ATTACH '{file}'",
    "ATTACH '{file}' AS again",
    "EXPORT DATABASE '{file}'",
    "IMPORT DATABASE '{file}'",
    "LOAD '{file}'",
    "INSTALL '{file}'",
)


@pytest.mark.parametrize("way", WAYS_TO_A_FILE)
def test_no_file_is_read_or_written(asked: Asked, way: str) -> None:
    """Beside the store, in the folder for spill, the release itself, the keys: by whatever statement or function."""
    here = asked.store.settings
    opened = releases.current(here) / "internal" / "datastore.duckdb"
    places = {"root": asked.elsewhere, "home": here.home, "keys": here.keys, "open": opened}
    before = {path: path.read_bytes() for path in (asked.elsewhere / "secret.csv", here.temporary / "secret.csv")}
    for file in FILES:
        said = asked.fails(way.format(file=file.format(**places)))
        assert PLANTED not in said and "\n" not in said
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    "sql",
    [
        "FROM duckdb_databases()",
        "FROM duckdb_databases",
        'FROM "DUCKDB_DATABASES"',
        "FROM system.main.duckdb_databases",
        "SELECT path FROM (FROM pragma_database_list)",
        "FROM pg_catalog.pg_database",
        "PRAGMA database_list",
        "PRAGMA show_databases",
        "SHOW DATABASES",
        "SELECT current_setting('temp_directory')",
        "SELECT x FROM marts.waits, (SELECT current_setting('temp_directory') AS x)",
        "SELECT list_transform(['temp_directory'], lambda name: current_setting(name))",
        "FROM duckdb_settings()",
        "FROM duckdb_secrets()",
        "FROM duckdb_logs()",
        "FROM duckdb_logs",
        "FROM duckdb_extensions()",
        "FROM duckdb_temporary_files()",
        "FROM duckdb_variables()",
        "FROM duckdb_prepared_statements()",
        "FROM pg_catalog.pg_prepared_statements",
        "FROM pg_catalog.pg_settings",
        "FROM which_secret('x', 's3')",
        "SELECT getenv('DATASTORE_KEYS')",
        "SELECT getvariable('x')",
        "FROM store",
    ],
)
def test_no_path_key_or_setting_is_told(asked: Asked, sql: str) -> None:
    """Neither by name nor from within another question: the answer would hold where the store is, or more."""
    assert PLANTED not in asked.fails(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE memory.main.t AS SELECT 1",
        "CREATE TEMP TABLE t AS SELECT 1",
        "CREATE MACRO f(x) AS x",
        "CREATE OR REPLACE VIEW marts.waits AS SELECT 1",
        "INSERT INTO marts.waits SELECT * FROM marts.waits",
        "UPDATE marts.waits SET minutes = 0",
        "DELETE FROM marts.waits",
        "TRUNCATE marts.waits",
        "DROP TABLE marts.waits",
        "ALTER TABLE marts.waits DROP note",
        "SET enable_external_access = true",
        "SET VARIABLE x = 1",
        "RESET enable_external_access",
        "PRAGMA enable_profiling",
        "PRAGMA add_parquet_key('x', 'y')",
        "CALL enable_logging()",
        "FROM enable_logging()",
        "SELECT write_log('x')",
        "FROM checkpoint()",
        "CHECKPOINT",
        "BEGIN",
        "DETACH datastore",
        "USE memory",
        "PREPARE again AS SELECT 1",
        "EXECUTE question",
        "DEALLOCATE question",
        "EXPLAIN ANALYZE SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE marts.waits",
        "",
        ";",
        "-- nothing",
        "SELECT $1",
        "SELECT ?",
    ],
)
def test_only_one_question_that_reads(asked: Asked, sql: str) -> None:
    """Whatever would change something, here or in the session, and whatever is not one statement."""
    assert "\n" not in asked.fails(sql)
    assert asked.rows("SELECT count(*), min(minutes) FROM marts.waits") == [(40, 250)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST(note AS INTEGER) FROM marts.waits",
        "SELECT CAST(note AS DATE) FROM marts.waits",
        "SELECT note::UUID FROM marts.waits",
        "SELECT strptime(note, '%Y') FROM marts.waits",
        "SELECT error(note) FROM marts.waits",
        "SELECT json_extract(note, '$.x') FROM marts.waits",
        "SELECT json_extract('{}', '$.' || note || '[') FROM marts.waits",
        "SELECT date_part(note, date) FROM marts.waits",
        "SELECT date_trunc(note, date) FROM marts.waits",
        "SELECT regexp_matches('x', '(' || note) FROM marts.waits",
        "SELECT CAST({'a': note} AS STRUCT(a INTEGER)) FROM marts.waits",
        "SELECT note::ENUM ('a', 'b') FROM marts.waits",
        "SELECT CAST(minutes AS TINYINT) FROM marts.waits",
        "SELECT (minutes + 9223372036854775000)::BIGINT + 9223372036854775000 FROM marts.waits",
        "SELECT (SELECT note FROM marts.waits) ",
        "SELECT if(minutes > 280, error(note), 'fine') FROM marts.waits",
    ],
)
def test_an_error_tells_its_kind_and_no_value(asked: Asked, sql: str) -> None:
    """What rows hold comes into DuckDB's own messages; ours say what kind of error it was."""
    said = asked.fails(sql)
    assert PLANTED not in said and PLANTED.split("-")[0] not in said
    assert not any(str(minutes) in said for minutes in range(250, 290)), said
    assert said.startswith("the query failed: ")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELCT 1", 'Parser Error: syntax error at or near "SELCT"'),
        ("SELECT nothing FROM marts.observation", 'Binder Error: Referenced column "nothing" not found'),
        ("SELECT * FROM marts.nothing", "Catalog Error: Table with name nothing does not exist!"),
        ("SELECT '\x1b[2J' || nothing", "Binder Error"),
    ],
)
def test_an_error_of_the_text_is_quoted(asked: Asked, sql: str, says: str) -> None:
    """So that it can be mended; in printable letters."""
    said = asked.fails(sql, "public")
    assert says in said
    assert said == printable(said, 400)


def test_a_command_fails_in_one_line(asked: Asked) -> None:
    """Exit 2, nothing on standard output, one line on the other; text and JSON, either tier."""
    for sql in (
        "SELECT CAST(note AS INTEGER) FROM marts.waits",
        "FROM read_text('/etc/passwd')",
        "DROP TABLE marts.waits",
    ):
        for words in (("--tier", "internal"), ("--tier", "internal", "--json"), ("--json",)):
            ended = asked.run(sql, *words)
            assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1), (sql, words, ended.err)
            assert PLANTED not in ended.err


def test_json_is_one_array_and_nothing_else(asked: Asked) -> None:
    """Days, instants, numbers of every kind and null as the contract says; the same from both tiers."""
    sql = """
        SELECT DATE '2020-04-01' AS day, TIMESTAMP '2020-04-01 09:30:15.987' AS at,
            TIMESTAMPTZ '2020-04-01 10:30:00+01:00' AS at_zone, 9223372036854775808::HUGEINT AS huge,
            12345678901234567.89::DECIMAL(19, 2) AS dec, sum(value) AS sum, 0.1::DOUBLE AS share, 'nan'::DOUBLE AS nan,
            '-inf'::FLOAT AS inf, NULL AS nothing, true AS yes, 'a "b" £ %s' AS "text %", count(*) AS n, 2 AS n,
            [1, NULL] AS list, {'a': DATE '2020-04-01'} AS struct, TIME '01:02:03' AS time
        FROM marts.observation
    """
    for words in (("--tier", "internal"), ()):
        ended = asked.run(sql, "--json", *words)
        assert (ended.code, ended.err) == (0, "")
        [row] = json.loads(ended.out, parse_float=str)
        assert row == {
            "day": "2020-04-01",
            "at": "2020-04-01T09:30:15Z",
            "at_zone": "2020-04-01T09:30:00Z",
            "huge": 9223372036854775808,
            "dec": "12345678901234567.89",
            "sum": "12.5",
            "share": "0.1",
            "nan": None,
            "inf": None,
            "nothing": None,
            "yes": True,
            "text %": 'a "b" £ %s',
            "n": 1,
            "n_1": 2,
            "list": [1, None],
            "struct": {"a": "2020-04-01"},
            "time": "01:02:03",
        }
    assert json.loads(asked.run("FROM marts.waits WHERE false", "--tier", "internal", "--json").out) == []
    many = json.loads(asked.run("SELECT range AS n FROM range(25000)", "--json").out)
    assert many == [{"n": n} for n in range(25_000)]


def test_every_question_to_the_internal_tier_is_recorded_first(asked: Asked) -> None:
    """Who, when, of which release, and the digest of the text: never the text. Refused questions too."""
    trail = asked.store.settings.audit
    before = len(trail.read_text().splitlines()) if trail.exists() else 0
    texts = [f"SELECT '{PLANTED}'", "FROM read_text('/etc/passwd')", "SELCT"]
    for text in texts:
        asked.run(text, "--tier", "internal")
        asked.run(text)
    lines = [json.loads(line) for line in trail.read_text().splitlines()[before:]]
    assert [line["sql_sha256"] for line in lines] == [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    for line in lines:
        assert (line["what"], line["release_id"]) == ("query", releases.current(asked.store.settings).name)
        assert line["who"] and line["at"]
    assert PLANTED not in trail.read_text()


def test_no_answer_where_it_cannot_be_recorded(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that cannot write the trail gets none."""

    def refuse(*arguments: object, **facts: str) -> None:
        raise PermissionError("no")

    monkeypatch.setattr("pipelines.adapters.audit.record", refuse)
    assert "cannot write the audit trail" in asked.fails("SELECT 1")
    assert asked.rows("SELECT 1", "public") == [(1,)]


def test_the_key_is_the_stores_own_or_asked_for(asked: Asked, tmp_path: Path) -> None:
    """Whoever cannot read the key store is asked for the key, and a wrong one opens nothing."""
    store, sql = asked.store, "SELECT count(*) AS n FROM marts.waits"
    key = warehouse.internal_key(store.settings).text
    for told, code, out in ((key, 0, [{"n": 40}]), ("d3Jvbmc=", 2, None), ("", 2, None)):
        done = store.run(
            "query", sql, "--tier", "internal", "--json", stdin=f"{told}\n", DATASTORE_KEYS=str(tmp_path / "none")
        )
        assert (done.returncode, json.loads(done.stdout) if out else None) == (code, out), done.stderr
        assert len(done.stderr.splitlines()) == (0 if code == 0 else 1)
        assert key not in done.stderr + "".join(os.environ.values())


def test_a_question_larger_than_memory_is_spilled_in_cipher(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Spill lies in the store's own folder, encrypted, and is gone with the question."""
    monkeypatch.setenv("DATASTORE_MEMORY", "256MiB")
    here = asked.store.settings
    before = set(here.temporary.iterdir())
    sql = f"SELECT repeat('{PLANTED}', 10) || range AS note FROM range(2500000) ORDER BY hash(range)"
    with ask.ask(here, sql, "internal", asked.key("internal")) as (_, batches):
        assert len(next(batches)) == ask.ROWS_A_BATCH
        spilled = [path for path in here.temporary.rglob("*") if path.is_file() and path not in before]
        assert spilled
        assert not any(PLANTED.encode() in path.read_bytes() for path in spilled)
    assert set(here.temporary.iterdir()) == before


def test_without_a_release_there_is_no_answer(tmp_path: Path, asked: Asked) -> None:
    ended = asked.commands.run(Store(tmp_path / "empty"), "query", "SELECT 1", "--tier", "internal")
    assert (ended.code, ended.out) == (2, "")
    assert "nothing is published yet" in ended.err
