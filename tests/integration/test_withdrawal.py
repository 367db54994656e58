"""One person is taken out: their rows go from originals, rows and releases, and the rest is as if they never came."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.adapters import audit, releases, warehouse, withdrawals
from pipelines.adapters.keys import KeyStore
from pipelines.adapters.landing import Held, Landing
from pipelines.adapters.persons.redaction import Person
from pipelines.domain.retention import NotDone
from pipelines.retention import execution, withdrawal
from pipelines.settings import PROJECT_ROOT
from tests.support import canaries, ending
from tests.support.canaries import FORMS, IDENTITY, PERSON_MARKS, RECORD, SPELL, Planted
from tests.support.ending import Ending
from tests.support.released import opened
from tests.support.stores import Store

NUMBER = IDENTITY["nhs_number"]
FAR = dt.date(2090, 1, 1)
# What is told of batches and of the making, and differs for that reason alone.
ABOUT_BATCHES = {"quality", "release", "rejected_rows", "supplier_scorecard"}
# In a row of the person's one of these stands; those of a wrecked line and of a mistyped number among them.
THEIRS = (NUMBER, "999 081 7464", SPELL, RECORD)


class Killed(BaseException):
    """The process ended here."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ending, Ending]:
    """A store with the person in every feed and form, and one that never held them; both released."""
    place = tmp_path_factory.mktemp("withdrawal")
    made = []
    for name in ("held", "never"):
        store = Ending.begin(place / name)
        store.end(FAR)
        files = ending.of_persons(place / f"files_{name}") + _further(place / f"files_{name}")
        store.receive(files if name == "held" else [_without(file) for file in files])
        store.run("refresh")
        made.append(store)
    return made[0], made[1]


@pytest.fixture
def held(kept: tuple[Ending, Ending], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ending:
    """A copy of the store that holds the person."""
    store = kept[0].copy(tmp_path / "held")
    monkeypatch.setenv("DATASTORE_GOVERNANCE", str(store.governance))
    return store


@pytest.fixture
def never(kept: tuple[Ending, Ending]) -> Store:
    """The store that never held the person."""
    return kept[1].store


def test_a_person_is_taken_out(held: Ending, never: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for, planned, approved, executed with interruptions, certified; and everything is as without them."""
    home, settings = held.store.home, held.store.settings
    before = {(one.feed, one.sha256): _bytes(one) for one in Landing(settings).batches()}
    old_key = (settings.keys / "batches").glob("covid_tests/*.key").__next__()
    old = {path: path.read_bytes() for path in (*_originals(home), old_key)}
    plan = _asked(held)
    _says_nothing(plan)
    assert plan["end"]["kind"] == "withdrawn" and plan["losses"] == []
    rows = {(one["feed"], batch["sha256"]): batch["rows"] for one in plan["datasets"] for batch in one["batches"]}
    counted = {of: _theirs(of[0], content) for of, content in before.items()}
    assert rows == {of: count for of, count in counted.items() if count != 0}
    verdicts = {batch["verdict"] for one in plan["datasets"] for batch in one["batches"]}
    assert verdicts == {"accepted", "quarantined"}

    held.approve(plan["plan"])
    [request] = withdrawals.kept(settings)
    _killed_before_the_point_of_no_return(settings, plan["plan"], monkeypatch)
    assert withdrawals.kept(settings) == [request]
    done = _executed_with_interruptions(settings, plan["plan"], monkeypatch)
    assert done["verification"] == {**done["verification"], "passed": True, "findings": []}

    # The originals: without the rows, the others' bytes as they were, known by the digest of what came.
    for one in Landing(settings).batches():
        content, was = _bytes(one), before[one.feed, one.sha256]
        assert one.sha256 == hashlib.sha256(was).hexdigest()
        if (one.feed, one.sha256) not in rows:
            assert content == was
            continue
        told, count = one.manifest["redacted"], rows[one.feed, one.sha256]
        assert (told["ends"], told["rows"]) == ([plan["end"]["id"]], count or 0)
        assert (told["sha256"], told["size_bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
        if count is None:
            assert content == b"" and one.verdict == "quarantined"
            continue
        assert _lines(content) == [line for line in _lines(was) if not _is_theirs(one.feed, line)], one.feed

    # What was made of them is what would have been made without them.
    _same_marts(held.store, never)
    _is_nowhere(held, tmp_path)
    assert not (settings.retention / "withdrawals" / f"{request.id}.sealed").exists()
    assert not KeyStore(settings).exists(request.key_name)
    assert held.json("retention", "plan")["plans"] == []
    page = Path(done["certificate"]).with_suffix(".html").read_text()
    assert "withdrawal of one person" in page and "rows of one person taken out" in page

    # The same file again is held already, and what is given back says that it is not whole.
    files = ending.of_persons(tmp_path / "again")
    again = next(file for file in files if file.feed == "covid_tests" and not file.is_refused)
    assert "already held" in held.run("receive", again.feed, str(again.path), "--agreement", ending.LENT)
    digest = hashlib.sha256(again.path.read_bytes()).hexdigest()
    given = held.run("original", digest, "--output", str(tmp_path / "given"))
    assert "redacted" in given and NUMBER.encode() not in _unpacked((tmp_path / "given").read_bytes())

    _verifier_sees_what_comes_back(held, Path(done["certificate"]), old, old_key)


def test_a_request(held: Ending, tmp_path: Path) -> None:
    """No number, no person, a number in a reference: refused in a line; asked twice: once; dropped: forgotten."""
    settings = held.store.settings
    # Nobody can say that a stranger is not in the archive, which was refused: of them the plan is that file alone.
    done = held.store.run(
        "retention", "withdraw", "--json", stdin="9995550008\n", DATASTORE_GOVERNANCE=str(held.governance)
    )
    plan = json.loads(done.stdout)
    [batch] = [batch for one in plan["datasets"] for batch in one["batches"]]
    assert (batch["rows"], batch["verdict"]) == (None, "quarantined")
    held.run("retention", "withdraw", "--drop", plan["end"]["id"])
    [archive] = [one for one in Landing(settings).batches("covid_tests") if one.sha256 == batch["sha256"]]
    archive.quarantine_path.unlink()
    shutil.rmtree(archive.folder)
    for said, reason in (("999 081 7468", "no NHS number"), ("x", "no NHS number"), ("9995550008", "nothing is held")):
        done = held.store.run("retention", "withdraw", stdin=said + "\n", DATASTORE_GOVERNANCE=str(held.governance))
        assert (done.returncode, len(done.stderr.splitlines())) == (5, 1) and reason in done.stderr
        assert said not in done.stderr or said == "x"
    for words in (["--reference", f"of {NUMBER}"], ["--authority", "999 081 7464"]):
        with pytest.raises(AssertionError, match="the number stands in"):
            _asked(held, *words)
    assert withdrawals.kept(settings) == []
    first, second = _asked(held), _asked(held)
    assert first["plan"] == second["plan"]
    [planned] = held.json("retention", "plan")["plans"]
    assert planned["plan"] == first["plan"]
    text = held.store.run("retention", "plan", DATASTORE_GOVERNANCE=str(held.governance))
    assert "withdraw" in text.stdout and NUMBER not in text.stdout
    with pytest.raises(NotDone, match="0 of 2 approvals"):
        execution.execute(settings, first["plan"])
    # A hold stands in its way, as does a file in the inbox.
    (settings.inbox / "covid_tests").mkdir(parents=True, exist_ok=True)
    (settings.inbox / "covid_tests" / "x.csv").write_text("x")
    (held.governance / "holds.yaml").write_text(
        "holds: [{id: H1, agreement: synthetic_person_level, from: 2020-01-01, authority: A, reference: B, reason: C}]"
    )
    blocked = " ".join(held.json("retention", "plan")["plans"][0]["blocked"])
    assert "hold H1" in blocked and "waits in the inbox" in blocked
    held.run("retention", "withdraw", "--drop", first["end"]["id"])
    assert withdrawals.kept(settings) == [] and held.json("retention", "plan")["plans"] == []
    assert not list(settings.keys.glob("withdrawal.*"))
    assert "no request" in held.run("retention", "withdraw", "--drop", "withdrawal-x", code=5)
    for path in (settings.audit, settings.keys / "register.jsonl"):
        assert NUMBER not in path.read_text()
    assert [entry["reason"] for entry in audit.entries(settings, "withdraw")] == ["requested", "dropped"] * 2


def _asked(held: Ending, *words: str) -> dict[str, Any]:
    """Ask for the withdrawal as a user does."""
    done = held.store.run(
        "retention", "withdraw", "--reference", "Letter 7", "--requested-by", "ann.other", *words, "--json",
        stdin="999 081 7464\n", DATASTORE_GOVERNANCE=str(held.governance),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def _further(place: Path) -> list[Planted]:
    """Records that only their key or their spell tells to be the person's, beside others'; a file that is no text."""
    spells = {**_sample("apc_spells"), "provider_code": "RXX", "site_code": "RXX01"}
    unit = {**_sample("critical_care_periods"), "provider_code": "RXX", "hospital_provider_spell_number": "LONESPELL"}
    periods = [
        {**unit, "critical_care_local_identifier": "LONEUNIT1", "nhs_number": ""},
        {**unit, "critical_care_local_identifier": "LONEUNIT1", "nhs_number": "", "record_version": "2",
         "update_type": "1", "hospital_provider_spell_number": ""},
        {**unit, "critical_care_local_identifier": "OTHERUNIT", "nhs_number": "",
         "hospital_provider_spell_number": "OTHERSPELL"},
    ]  # fmt: skip
    stays = [
        {**spells, "hospital_provider_spell_number": "LONESPELL", "nhs_number": NUMBER},
        {**spells, "hospital_provider_spell_number": "OTHERSPELL", "nhs_number": "9990000093"},
    ]
    found = []
    for feed, rows in (("apc_spells", stays), ("critical_care_periods", periods)):
        target = io.StringIO(newline="")
        writer = csv.DictWriter(target, list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
        path = place / feed / "further.csv"
        path.write_bytes(b"\xef\xbb\xbf" + target.getvalue().encode())
        found.append(Planted(feed, path, is_refused=False))
    archive = place / "covid_tests" / "packed.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("tests.csv", f"nhs_number\n{NUMBER}\n" * 100)
    return [*found, Planted("covid_tests", archive, is_refused=True)]


def _sample(feed: str) -> dict[str, str]:
    sample = next(one for one in canaries.person_samples() if one.feed == feed)
    return dict(zip(map(str, sample.table.columns), map(str, sample.table.rows[1]), strict=True))


def _is_theirs(feed: str, line: bytes) -> bool:
    """Whether a line is the person's: told by the marks that were planted, not by how the store finds them."""
    marks = [*THEIRS, "LONESPELL", "LONEUNIT1"] if feed != "data_opt_outs" else THEIRS[:2]
    return any(mark.encode() in line for mark in marks)


def _theirs(feed: str, content: bytes) -> int | None:
    """How many rows of a file are the person's; None of one that nobody can take apart."""
    if content.startswith(b"PK"):
        return None
    return sum(_is_theirs(feed, line) for line in _lines(content)) if feed.startswith(tuple(_feeds())) else 0


def _feeds() -> list[str]:
    return [sample.feed for sample in canaries.person_samples()]


def _lines(content: bytes) -> list[bytes]:
    """Lines with their ends; of Parquet its rows."""
    if content.startswith(b"PAR1"):
        return [repr(row).encode() for row in pq.read_table(io.BytesIO(content)).to_pylist()]
    return _unpacked(content).splitlines(keepends=True)


def _unpacked(content: bytes) -> bytes:
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    if content.startswith(b"\x28\xb5\x2f\xfd"):
        return bytes(pa.input_stream(io.BytesIO(content), compression="zstd").read())
    return content


def _without(file: Planted) -> Planted:
    """The same file as a supplier would have sent it who never had the person."""
    content = file.path.read_bytes()
    form = "".join(file.path.suffixes)
    if form == ".parquet":
        table = pq.read_table(io.BytesIO(content))
        stay = [not _is_theirs(file.feed, repr(row).encode()) for row in table.to_pylist()]
        pq.write_table(table.filter(stay), file.path)
    elif form != ".zip":
        lines = [line for line in _lines(content) if not _is_theirs(file.feed, line)]
        file.path.write_bytes(FORMS[form](b"".join(lines)))
    return file


def _bytes(one: Held) -> bytes:
    return b"".join(Landing(one.settings).original(one))


def _originals(home: Path) -> list[Path]:
    return sorted((home / "landing").glob("*/*/original"))


def _says_nothing(value: Any) -> None:
    text = json.dumps(value)
    assert not [mark for mark in PERSON_MARKS if mark in text]


def _stop(at: str) -> Callable[[str], None]:
    def on_step(step: str) -> None:
        if step == at:
            raise Killed

    return on_step


def _killed_before_the_point_of_no_return(settings: Any, plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is as it was, and no key is left of what was begun."""
    told = {
        path: path.stat().st_mtime_ns for zone in ("landing", "accepted") for path in (settings.home / zone).rglob("*")
    }
    keys = KeyStore(settings).names()

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(withdrawal, "_read_again", killed)
        patched.setattr(execution.generation, "discard", lambda *_: None)
        with pytest.raises(Killed):
            execution.execute(settings, plan)
    assert set(KeyStore(settings).names()) > set(keys)
    execution.generation.discard(settings, settings.retention / "executions" / plan)
    assert KeyStore(settings).names() == keys
    assert told == {path: path.stat().st_mtime_ns for path in told}


def _executed_with_interruptions(settings: Any, plan: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Killed at every step after the point of no return, and amid the replacing, it goes on where it was."""
    for step in ("switched", "keys", "files"):
        with pytest.raises(Killed):
            execution.execute(settings, plan, on_step=_stop(step))
    rename, count = withdrawal.os.rename, 0

    def dies(source: Path, target: Path) -> None:
        nonlocal count
        count += 1
        if count % 3 == 0:
            raise Killed
        rename(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(withdrawal.os, "rename", dies)
        with pytest.raises(Killed):
            execution.execute(settings, plan)
    with pytest.raises(Killed):
        execution.execute(settings, plan, on_step=_stop("certified"))
    return execution.execute(settings, plan)


def _same_marts(held: Store, never: Store) -> None:
    """Every row of every mart of both tiers is that of the store that never held the person."""
    for tier in ("public", "internal"):
        with _release(held, tier) as mine, _release(never, tier) as others:
            tables = _tables(mine)
            assert tables == _tables(others) and len(tables) > 20
            for schema, table in tables:
                if table in ABOUT_BATCHES:
                    continue
                columns = [name for name in tables[schema, table] if name not in ("batch", "batches")]
                sql = f"SELECT {', '.join(columns)} FROM {schema}.{table}"
                left, right = mine.sql(sql).to_arrow_table(), others.sql(sql).to_arrow_table()
                with duckdb.connect() as compare:
                    compare.register("l", left)
                    compare.register("r", right)
                    for one, other in (("l", "r"), ("r", "l")):
                        odd = compare.execute(f"SELECT count(*) FROM (FROM {one} EXCEPT ALL FROM {other})").fetchall()
                        assert odd == [(0,)], (tier, schema, table, one)


def _release(store: Store, tier: str) -> duckdb.DuckDBPyConnection:
    return opened(releases.current(store.settings), store, tier)


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[str]]:
    rows = connection.execute(
        "SELECT schema_name, table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
        "WHERE starts_with(schema_name, 'marts') GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return {(schema, table): columns for schema, table, columns in rows}


def _is_nowhere(held: Ending, tmp_path: Path) -> None:
    """No byte holds the number, opened or not, and no row the pseudonym."""
    settings = held.store.settings
    for path in settings.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert NUMBER.encode() not in content and b"999 081 7464" not in content, path
    for one in Landing(settings).batches():
        content = _bytes(one)
        lines = b"".join(_lines(content)) + content
        assert NUMBER.encode() not in lines and b"999 081 7464" not in lines, one.feed
    person = Person(NUMBER, KeyStore(settings).pseudonyms(in_use=True)).pseudonym
    looked = 0
    with warehouse.build(settings, read_only=True) as connection:
        tables = [
            (".".join(map(warehouse.named, (database, schema, table))), warehouse.named(name))
            for database, schema, table, name in connection.execute(
                "SELECT database_name, schema_name, table_name, column_name FROM duckdb_columns() "
                "WHERE data_type = 'UUID' AND database_name IN ('build', 'internal')"
            ).fetchall()
        ]
        for feed in _feeds():
            rows = warehouse.accepted_file(settings.accepted / feed / "*.parquet")
            columns = connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
            tables += [(rows, column[0]) for column in columns if column[1] == "UUID"]
        for table, column in tables:
            looked += 1
            sql = f"SELECT count(*) FROM {table} WHERE {column} = '{person}'::UUID"
            assert connection.execute(sql).fetchall() == [(0,)], (table, column)
    assert looked > 15


def _verified(held: Ending, certificate: Path, *more: str) -> tuple[int, set[str]]:
    marks = held.governance.parent / "marks.txt"
    marks.write_text(f"{NUMBER}\n999 081 7464\n{SPELL}\nLONESPELL\n")
    here = held.store.settings
    done = subprocess.run(
        [sys.executable, "-m", "retention_verifier", str(certificate), "--home", str(here.home), "--keys",
         str(here.keys), "--governance", str(held.governance), "--canaries", str(marks), "--json", *more],
        cwd=PROJECT_ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, {one["check"] for one in json.loads(done.stdout)["reasons"]}


def _verifier_sees_what_comes_back(held: Ending, certificate: Path, old: dict[Path, bytes], old_key: Path) -> None:
    """It passes, with what the person was known by as canaries; an old original, a key, rows as they came fail."""
    assert _verified(held, certificate) == (0, set())
    assert not old_key.exists()
    original = next(path for path in old if path.name == "original" and path.parent.name == old_key.stem)
    now = original.read_bytes()
    original.write_bytes(old[original])
    old_key.write_bytes(old[old_key])
    assert {"copied_file", "opens", "kept_key", "canary"} <= _verified(held, certificate)[1]
    original.write_bytes(now)
    assert _verified(held, certificate)[1] == {"kept_key"}
