"""Where each kind of value may be: the table of custody, looked for in every byte that the store leaves behind."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines import originals
from pipelines.adapters import releases, warehouse
from pipelines.adapters.keys import KeyStore
from tests.support.canaries import ADDRESS, MARKS
from tests.support.guarded import Guarded

AN_ORGANISATION = "FICTIONAL"


def found(folder: Path, marks: tuple[bytes, ...]) -> list[tuple[Path, bytes]]:
    """The files below a folder, or the file, that hold one of these marks, in one-byte or two-byte letters."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    spelled = {form: mark for mark in marks for form in (mark, _two_byte(mark))}
    return [(path, mark) for path in paths for form, mark in spelled.items() if form in path.read_bytes()]


def _two_byte(mark: bytes) -> bytes:
    return b"".join(bytes([byte, 0]) for byte in mark)


def _letters(*marks: str) -> tuple[bytes, ...]:
    return tuple(mark.encode() for mark in marks)


def test_the_scan_finds_what_is_there(guarded: Guarded, tmp_path: Path) -> None:
    """Each mark, in a plain copy of the file it was planted in and in two-byte letters; inside a workbook too."""
    for number, file in enumerate(guarded.files):
        if file.path.suffix == ".csv":
            (tmp_path / str(number)).write_bytes(file.path.read_bytes())
    assert {mark for _, mark in found(tmp_path, _letters(*MARKS))} == set(_letters(*MARKS))
    wide = tmp_path / "wide"
    wide.mkdir()
    (wide / "log").write_bytes(ADDRESS.encode("utf-16"))
    assert found(wide, _letters(ADDRESS))


def test_no_mark_lies_in_clear_anywhere(guarded: Guarded) -> None:
    """State, keys, temporary files, logs, Dagster's store, dbt's target, and what the commands printed."""
    assert {folder.name for folder in guarded.root.iterdir()} == {"store", "keys", "tmp", "outputs"}
    assert found(guarded.root, _letters(*MARKS)) == []


def test_what_is_derived_holds_no_mark(guarded: Guarded) -> None:
    """Opened with its keys, so that neither cipher nor compression hides it: accepted rows, records, build, release."""
    tables = dict(_opened(guarded))
    assert {name.partition(":")[0] for name in tables} == {"accepted", "operations", "build", "public", "internal"}
    assert any(AN_ORGANISATION in text for text in tables.values())
    marks = [mark.casefold() for mark in MARKS]
    for name, text in tables.items():
        assert not [mark for mark in marks if mark in text.casefold()], name


def _opened(guarded: Guarded) -> Iterator[tuple[str, str]]:
    """Every derived table as text, by zone and name."""
    here = guarded.store.settings
    with warehouse.connect(here) as connection:
        for zone in (here.accepted, here.operations):
            for path in zone.rglob("*.parquet"):
                yield f"{zone.name}:{path.relative_to(zone)}", _text(warehouse.read_rows(connection, path))
    with warehouse.build(here, read_only=True) as connection:
        yield from _tables(connection, "build", "build")
    key = KeyStore(here.keys).internal_tier().text
    for tier in releases.TIERS:
        with releases.open_tier(releases.current(here), tier, key if tier == "internal" else None) as connection:
            yield from _tables(connection, "datastore", tier)


def _tables(connection: duckdb.DuckDBPyConnection, database: str, zone: str) -> Iterator[tuple[str, str]]:
    names = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ?", [database]
    ).fetchall()
    assert names
    for schema, table in names:
        yield f"{zone}:{schema}.{table}", _text(connection.execute(f'FROM {database}."{schema}"."{table}"').pl())


def _text(frame: pl.DataFrame) -> str:
    return frame.write_csv()


def test_no_key_leaves_the_key_store(guarded: Guarded) -> None:
    """As text, as bytes, as hexadecimal: in no file but its own; and nobody else may read that one."""
    keys = sorted(guarded.store.settings.keys.glob("*.key"))
    assert len(keys) > len({file.feed for file in guarded.files})
    for path in keys:
        assert path.stat().st_mode & 0o077 == 0
        written = path.read_text().strip()
        secret = base64.b64decode(written)
        forms = (written.encode(), secret, secret.hex().encode())
        for folder in ("store", "tmp", "outputs"):
            assert found(guarded.root / folder, forms) == [], path.name
        assert {one for one, _ in found(guarded.root / "keys", forms)} == {path}


@pytest.mark.parametrize("zone", ["landing", "accepted", "operations", "build", "internal"])
def test_nothing_private_opens_without_its_key(guarded: Guarded, zone: str) -> None:
    """No organisation's name shows in the bytes, and DuckDB on its own reads neither Parquet nor database."""
    here = guarded.store.settings
    folder = releases.current(here) / "internal" if zone == "internal" else here.home / zone
    files = [path for path in folder.rglob("*") if path.suffix in (".parquet", ".duckdb") or path.name == "original"]
    assert files
    # A manifest names the file, never what is in it.
    assert found(folder, _letters(AN_ORGANISATION, "University Hospitals", "NHS ENGLAND")) == []
    for path in files:
        with duckdb.connect() as connection, pytest.raises(duckdb.Error):
            if path.suffix == ".duckdb":
                connection.execute(f"ATTACH '{path}' AS stolen (READ_ONLY)")
            else:
                connection.execute(f"FROM read_parquet('{path}')").fetchall()


def test_a_wrong_key_opens_nothing(guarded: Guarded) -> None:
    """The internal tier under the key of the build, and under none."""
    here = guarded.store.settings
    for key in (KeyStore(here.keys).derived().text, None):
        with pytest.raises(duckdb.Error):
            releases.open_tier(releases.current(here), "internal", key)


def test_the_sealed_original_has_it_all(guarded: Guarded, tmp_path: Path) -> None:
    """What is kept nowhere else comes back whole, refused files too, and the trail says who asked."""
    here = guarded.store.settings
    digests = {}
    for number, file in enumerate(guarded.files):
        digests[file.path] = _digest(file.path)
        originals.write(here, digests[file.path], tmp_path / str(number))
        assert (tmp_path / str(number)).read_bytes() == file.path.read_bytes()
    trail = here.audit.read_text()
    assert all(digest in trail for digest in digests.values())


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
