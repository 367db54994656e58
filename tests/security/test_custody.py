"""Where each kind of value may be: the table of custody, looked for in every byte that the store leaves behind."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from pipelines import originals
from pipelines.adapters import releases, warehouse
from pipelines.adapters.keys import KeyStore
from pipelines.adapters.landing import Landing
from tests.support.canaries import ADDRESS, CUT_LINE, IN_EVERY_FORM, MARKS, PERSON_MARKS, SPELL
from tests.support.guarded import Guarded

AN_ORGANISATION = "FICTIONAL"
EVERY_MARK = (*MARKS, *PERSON_MARKS)


def found(folder: Path, marks: tuple[bytes, ...]) -> list[tuple[Path, bytes]]:
    """The files below a folder that hold one of these marks, in one-byte or two-byte letters; packed files unpacked."""
    spelled = {form: mark for mark in marks for form in (mark, _two_byte(mark))}
    holding = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            for content in _unpacked(path.read_bytes()):
                holding |= {(path, mark): None for form, mark in spelled.items() if form in content}
    return list(holding)


def _unpacked(content: bytes) -> Iterator[bytes]:
    """A file's bytes, and what they hold when they are packed in a way that needs no key."""
    yield content
    if content[:4] == b"PAR1":
        yield pl.read_parquet(io.BytesIO(content)).write_csv().encode()
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield from _unpacked(archive.read(name))
    for magic, opened in OPENED.items():
        if content.startswith(magic):
            yield from _unpacked(opened(content))


def _zstd(content: bytes) -> bytes:
    return bytes(pa.CompressedInputStream(pa.BufferReader(content), "zstd").read())


OPENED = {
    b"\x1f\x8b": gzip.decompress,
    b"\x28\xb5\x2f\xfd": _zstd,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ": lzma.decompress,
    b"\x78\x9c": zlib.decompress,
}


def _two_byte(mark: bytes) -> bytes:
    return b"".join(bytes([byte, 0]) for byte in mark)


def _letters(*marks: str) -> tuple[bytes, ...]:
    return tuple(mark.encode() for mark in marks)


def test_the_scan_finds_what_is_there(guarded: Guarded, tmp_path: Path) -> None:
    """Each mark, in a copy of the file it was planted in, however that is packed, and in two-byte letters."""
    by_form = {}
    for number, file in enumerate(guarded.files):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(file.path, folder)
        if file.feed == IN_EVERY_FORM and not file.is_refused:
            by_form[file.path.name] = {mark for _, mark in found(folder, _letters(*PERSON_MARKS))}
    assert {mark for _, mark in found(tmp_path, _letters(*EVERY_MARK))} == set(_letters(*EVERY_MARK))
    assert len(by_form) == 4
    for marks in by_form.values():
        assert marks >= set(_letters(*PERSON_MARKS)) - set(_letters(*NOT_IN_A_FORM))
    wide = tmp_path / "wide"
    wide.mkdir()
    (wide / "log").write_bytes(ADDRESS.encode("utf-16"))
    assert found(wide, _letters(ADDRESS))


# Of another feed, and of a line that Parquet cannot hold.
NOT_IN_A_FORM = (SPELL, CUT_LINE)


def test_no_mark_lies_in_clear_anywhere(guarded: Guarded) -> None:
    """State, keys, temporary files, logs, Dagster's store, dbt's target, and what the commands printed."""
    assert {folder.name for folder in guarded.root.iterdir()} == {"store", "keys", "tmp", "outputs"}
    for feed, folder in {(file.feed, file.path.parent): None for file in guarded.files}:
        guarded.run("receive", feed, folder, "--json")
    guarded.run("status", "--json")
    assert found(guarded.root, _letters(*EVERY_MARK)) == []


def test_what_is_derived_holds_no_mark(guarded: Guarded) -> None:
    """Opened with its keys, so that neither cipher nor compression hides it: accepted rows, records, build, release."""
    tables = dict(_opened(guarded))
    zones = {"accepted", "operations", "build", "build of persons", "public", "internal"}
    assert {name.partition(":")[0] for name in tables} == zones
    assert any(AN_ORGANISATION in text for text in tables.values())
    assert len({file.feed for file in guarded.files} & {name.split(":")[1].split("/")[0] for name in tables}) > 10
    marks = [mark.casefold() for mark in EVERY_MARK]
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
        yield from _tables(connection, warehouse.BUILD, "build")
        yield from _tables(connection, warehouse.INTERNAL, "build of persons")
    key = KeyStore(here).internal_tier().text
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
    """As text, as bytes, as hexadecimal: the root key in its own file, the others, which are wrapped, in none."""
    here = guarded.store.settings
    root = here.keys / "root.key"
    files = sorted(here.keys.rglob("*.key"))
    assert len(files) > 2 * len({file.feed for file in guarded.files})
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    secrets = {base64.b64decode(root.read_text()): {root}}
    wrapping = {(held.feed, held.sha256): held.manifest["wrapping_key"] for held in Landing(here).batches()}
    for name in KeyStore(here).names():
        if name.startswith("batch."):
            _, feed, sha256 = name.split(".")
            secrets[KeyStore(here).batch(feed, sha256, wrapping[feed, sha256]).secret] = set()
        else:
            secrets[KeyStore(here).get(name).secret] = set()
    for secret, where in secrets.items():
        forms = (base64.b64encode(secret), secret, secret.hex().encode())
        assert {one for one, _ in found(guarded.root, forms)} == where


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
    for key in (KeyStore(here).derived().text, None):
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
