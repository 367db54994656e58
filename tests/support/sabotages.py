"""Ways in which an end can be untrue. Each must be found by the verifier, under the name of the check that it breaks.

They work on any store of which something has ended: a copy of the home and the key store from before is all they need.
A sabotage returns further arguments for the verifier.
"""

from __future__ import annotations

import base64
import copy
import gzip
import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.ended_store import (
    Ended,
    digest,
    receipt,
    sealed,
    signature,
    signed,
    unwrapped,
    wrapped,
    write_database,
    write_json,
    write_parquet,
)

Arguments = list[str]


@dataclass(frozen=True)
class Sabotage:
    """What is done, and the check that must tell of it."""

    name: str
    check: str
    do: Callable[[Ended, str], Arguments | None]
    """Is given the store and a canary that was seeded into what ended."""


def _placed(ended: Ended, name: str, content: bytes) -> Path:
    path = ended.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _copied(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


def _feed_key(ended: Ended) -> str:
    return f"feed.{ended.dataset['feed']}.{ended.dataset['agreement']}"


def _original(ended: Ended) -> str:
    return f"landing/{ended.dataset['feed']}/{ended.batch}/original"


def _accepted(ended: Ended) -> str:
    return f"accepted/{ended.dataset['feed']}/{ended.batch}.parquet"


def _plain(ended: Ended) -> bytes:
    """The original as it came, opened as before the end."""
    feed = ended.dataset["feed"]
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = unwrapped(
        ended.secret(_feed_key(ended), before=True), ended.before_keys / "batches" / feed / f"{ended.batch}.key"
    )
    content, frame = (ended.before_home / _original(ended)).read_bytes()[8:], (1 << 20) + 16
    parts = [content[start : start + frame] for start in range(0, len(content), frame)]
    return b"".join(
        AESGCM(key).decrypt(number.to_bytes(11, "big") + bytes([number == len(parts) - 1]), part, b"CDSEAL1\n")
        for number, part in enumerate(parts)
    )


# --- keys


def keep_a_key(ended: Ended, canary: str) -> None:
    """A destroyed key is in its place again."""
    _copied(ended.before_keys / f"{_feed_key(ended)}.key", ended.keys / f"{_feed_key(ended)}.key")


def keep_a_batch_key(ended: Ended, canary: str) -> None:
    """A batch's key was forgotten."""
    name = f"batches/{ended.dataset['feed']}/{ended.batch}.key"
    _copied(ended.before_keys / name, ended.keys / name)


def keep_a_key_under_another_name(ended: Ended, canary: str) -> None:
    """The old generation's key, wrapped, among temporary files."""
    old = ended.body["store"]["generation"] - 1
    _copied(ended.before_keys / f"derived.{old}.key", ended.home / "tmp" / "notes.txt")


def keep_a_key_in_a_log(ended: Ended, canary: str) -> None:
    """The key itself, printed into a log, as base64."""
    secret = base64.b64encode(ended.secret(_feed_key(ended), before=True)).decode()
    _placed(ended, "dbt/logs/debug.log", json.dumps({"level": "debug", "key": secret}).encode())


def keep_keys_in_an_archive(ended: Ended, canary: str) -> Arguments:
    """The key store from before, packed away elsewhere."""
    target = ended.home.parent / "elsewhere"
    target.mkdir()
    with tarfile.open(target / "k.tgz", "w:gz") as archive:
        archive.add(ended.before_keys, "k")
    return ["--also", str(target)]


def rewrap_a_key(ended: Ended, canary: str) -> None:
    """A batch's key, wrapped anew by a key that stays."""
    feed = ended.dataset["feed"]
    secret = unwrapped(
        ended.secret(_feed_key(ended), before=True), ended.before_keys / "batches" / feed / f"{ended.batch}.key"
    )
    _placed(ended, "operations/state", wrapped(ended.root(), secret))


# --- files


def copy_an_original(ended: Ended, canary: str) -> None:
    """A sealed original under another name."""
    _copied(ended.before_home / _original(ended), ended.home / "tmp" / "blob.bin")


def leave_the_accepted_rows(ended: Ended, canary: str) -> None:
    """The accepted rows, renamed into another zone."""
    _copied(ended.before_home / _accepted(ended), ended.home / "operations" / "history.parquet")


def leave_the_build(ended: Ended, canary: str) -> None:
    """The build database of before, renamed."""
    _copied(ended.before_home / "build" / "build.duckdb", ended.home / "dagster" / "cache.db")


def pack_an_original(ended: Ended, canary: str) -> None:
    """A sealed original in an archive in an archive."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(ended.before_home / _original(ended), "original")
    _placed(ended, "tmp/old.gz", gzip.compress(inner.getvalue()))


def leave_it_as_it_came(ended: Ended, canary: str) -> None:
    """The supplier's file in clear."""
    _placed(ended, "inbox/forgotten.csv", _plain(ended))


def restore_a_backup(ended: Ended, canary: str) -> None:
    """The landing zone of before, copied beside the zones."""
    _copied(ended.before_home / "landing", ended.home / "restored" / "landing")


def restore_a_backup_elsewhere(ended: Ended, canary: str) -> Arguments:
    """The whole home of before, in another folder."""
    target = ended.home.parent / "mnt" / "backup"
    shutil.copytree(ended.before_home, target, symlinks=True)
    return ["--also", str(target)]


def hide_a_backup_behind_a_link(ended: Ended, canary: str) -> None:
    """The accepted rows of before, outside the home, with a link to them in it."""
    target = ended.home.parent / "outside"
    shutil.copytree(ended.before_home / "accepted", target / "accepted")
    (ended.home / "tmp" / "link").symlink_to(target)


def forget_a_release(ended: Ended, canary: str) -> None:
    """A release of before is still published."""
    release = ended.body["release_before"][-1]
    _copied(ended.before_home / "published" / release, ended.home / "published" / release)


def forget_a_release_under_another_name(ended: Ended, canary: str) -> None:
    """The public database of a release of before, checkpointed anew so that its bytes are others."""
    release = ended.body["release_before"][-1]
    write_database(ended.home / "dbt" / "x.duckdb", release, ["public places"])


def seal_again(ended: Ended, canary: str) -> None:
    """The original, sealed anew under a key that stays."""
    _seal(ended, _plain(ended))


def _seal(ended: Ended, content: bytes) -> None:
    """Seal something under a key that stays."""
    secret = os.urandom(32)
    name = next(path.stem for path in sorted(ended.keys.glob("feed.*.key")))
    path = ended.keys / "batches" / "other_feed" / f"{'0' * 64}.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wrapped(ended.secret(name), secret))
    _placed(ended, "operations/kept", sealed(secret, content))


def leave_a_log_of_writes(ended: Ended, canary: str) -> None:
    """A write-ahead log in the build."""
    _placed(ended, "build/build.duckdb.wal", b"")


def leave_a_log_beside_a_release(ended: Ended, canary: str) -> None:
    """A write-ahead log in a release."""
    _placed(ended, f"published/{ended.body['release_after']}/internal/datastore.duckdb.wal", os.urandom(100))


# --- records


def tamper_with_the_body(ended: Ended, canary: str) -> None:
    """One file fewer in the inventory."""
    changed = ended.signed
    changed["body"]["inventory"].pop()
    ended.certificate.write_text(json.dumps(changed))


def tamper_with_the_signature(ended: Ended, canary: str) -> None:
    """A signature that is none."""
    ended.certificate.write_text(json.dumps({**ended.signed, "signature": base64.b64encode(bytes(64)).decode()}))


def sign_with_another_key(ended: Ended, canary: str) -> None:
    """A certificate of somebody else's."""
    ended.certificate.write_text(json.dumps(signed(ended.body, Ed25519PrivateKey.generate())))


def leave_out_a_key(ended: Ended, canary: str) -> None:
    """A key of the plan that was not destroyed, signed all the same."""
    body = ended.body
    body["keys_destroyed"] = body["keys_destroyed"][1:]
    ended.certify(body)


def lie_about_a_fingerprint(ended: Ended, canary: str) -> None:
    """Another fingerprint, so that a kept copy would not be known."""
    body = ended.body
    body["keys_destroyed"][0]["fingerprint"] = "0" * 32
    ended.certify(body)


def certify_what_failed(ended: Ended, canary: str) -> None:
    """Signed though its own verification failed."""
    ended.certify({**ended.body, "verification": {"passed": False, "findings": [{"check": "canary"}]}})


def unsign(ended: Ended, canary: str) -> None:
    """A certificate without a signature."""
    ended.certificate.write_text(json.dumps({"body": ended.body}))


def cut_the_certificate(ended: Ended, canary: str) -> None:
    """A part of a certificate."""
    body = ended.body
    del body["inventory"]
    ended.certify(body)


def remove_the_certificate_before(ended: Ended, canary: str) -> None:
    """A gap in the chain; of the first certificate, one that follows nothing."""
    others = [path for path in ended.certificate.parent.glob("*.json") if path != ended.certificate]
    if not others:
        ended.certify({**ended.body, "previous": "0" * 64})
    for path in others:
        path.unlink()


def change_the_certificate_before(ended: Ended, canary: str) -> None:
    """Another certificate in the place of the one before, well signed."""
    body = ended.body
    if body["number"] == 1:
        ended.certify({**body, "number": 2, "previous": "0" * 64})
        return
    for path in ended.certificate.parent.glob("*.json"):
        before = json.loads(path.read_text())["body"]
        if before["number"] == body["number"] - 1:
            path.write_text(json.dumps(signed({**before, "executed_by": "somebody"}, ended.signing_key())))


def hide_from_the_public_log(ended: Ended, canary: str) -> None:
    """The certificate is handed over, and the log holds another."""
    text = ended.certificate.read_text()
    ended.certify({**ended.body, "executed_by": "somebody"})
    (ended.home.parent / "handed.json").write_text(text)


def edit_the_trail(ended: Ended, canary: str) -> None:
    """One line of the audit trail says something else."""
    lines = _trail(ended)
    lines[0] = lines[0].replace(b'"who": "', b'"who": "not ')
    _write_trail(ended, lines)


def cut_the_trail(ended: Ended, canary: str) -> None:
    """The last lines are gone."""
    _write_trail(ended, _trail(ended)[:-2])


def reorder_the_trail(ended: Ended, canary: str) -> None:
    """Two lines change places."""
    lines = _trail(ended)
    lines[1], lines[0] = lines[0], lines[1]
    _write_trail(ended, lines)


def write_the_trail_anew(ended: Ended, canary: str) -> None:
    """The whole trail chained anew around a change, its head too: the certificate still knows the old one."""
    previous, lines = "", []
    for number, line in enumerate(_trail(ended)):
        entry = {**json.loads(line), "previous": previous}
        entry["who"] = "nobody" if number == 0 else entry["who"]
        lines.append(json.dumps(entry).encode())
        previous = hashlib.sha256(lines[-1]).hexdigest()
    _write_trail(ended, lines)
    write_json(ended.keys / "audit.head", {"number": len(lines), "digest": previous})


def _trail(ended: Ended) -> list[bytes]:
    return (ended.home / "audit" / "trail.jsonl").read_bytes().splitlines()


def _write_trail(ended: Ended, lines: list[bytes]) -> None:
    (ended.home / "audit" / "trail.jsonl").write_bytes(b"\n".join(lines) + b"\n")


def approve_alone(ended: Ended, canary: str) -> None:
    """One approver, twice."""
    body = ended.body
    body["approvals"] = [body["approvals"][0]] * 2
    body["approved_by"] = [body["approvals"][0]["approver"]]
    ended.certify(body)


def approve_without_trust(ended: Ended, canary: str) -> None:
    """An approval by somebody who is no approver."""
    body, key = ended.body, Ed25519PrivateKey.generate()
    body["approvals"][1] = {
        **body["approvals"][1],
        "approver": "stranger",
        "signature": signature(key, body["plan_sha256"]),
    }
    body["approved_by"] = [one["approver"] for one in body["approvals"]]
    ended.certify(body)


def approve_what_one_executes(ended: Ended, canary: str) -> None:
    """An approver executed it."""
    ended.certify({**ended.body, "executed_by": ended.body["approvals"][0]["approver"]})


def change_the_plan(ended: Ended, canary: str) -> None:
    """The plan in the certificate is another than the one that was approved."""
    body = copy.deepcopy(ended.body)
    body["plan"]["requested_by"] = body["requested_by"] = "somebody"
    body["plan_sha256"] = digest(body["plan"])
    body["certificate_id"] = f"{body['plan']['end']['id']}-{body['plan_sha256'][:12]}"
    ended.certify(body)


def change_the_kept_plan(ended: Ended, canary: str) -> None:
    """The plan in the store was changed after it was approved."""
    path = ended.home / "retention" / "plans" / ended.body["plan_sha256"] / "plan.json"
    write_json(path, {**json.loads(path.read_text()), "losses": ["more"]})


def _returned(ended: Ended, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    body = copy.deepcopy(ended.body)
    agreement = next(one["agreement"] for one in body["plan"]["datasets"] if one["disposition"] == "return")
    changed = change(body["return"][agreement])
    body["return"] = {agreement: changed} if changed else None
    ended.certify(body)


def forge_a_receipt(ended: Ended, canary: str) -> None:
    """A receipt that the controller did not sign."""

    def forged(returned: dict[str, Any]) -> dict[str, Any]:
        told = returned["receipt"]
        key = Ed25519PrivateKey.generate()
        return {**returned, "receipt": receipt(key, told["agreement"], told["package_sha256"], told["received_at"])}

    _returned(ended, forged)


def receive_another_package(ended: Ended, canary: str) -> None:
    """The receipt is of another package."""
    _returned(ended, lambda returned: {**returned, "package_sha256": "1" * 64})


def do_without_a_receipt(ended: Ended, canary: str) -> None:
    """What had to be returned was destroyed without a receipt."""
    _returned(ended, lambda returned: None)


# --- received again


def receive_again(ended: Ended, canary: str) -> None:
    """The batch is back, in its place, as it was."""
    _copied((ended.before_home / _original(ended)).parent, (ended.home / _original(ended)).parent)


def receive_again_under_another_agreement(ended: Ended, canary: str) -> None:
    """The same file, received for another feed and agreement."""
    folder = ended.home / "landing" / "other_feed" / ended.batch
    folder.mkdir(parents=True)
    secret = os.urandom(32)
    (folder / "original").write_bytes(sealed(secret, _plain(ended)))
    write_json(folder / "manifest.json", {"feed": "other_feed", "agreement": "other", "sha256": ended.batch})


def receive_more_of_it(ended: Ended, canary: str) -> None:
    """Another file of the same feed and agreement."""
    feed, sha256 = ended.dataset["feed"], hashlib.sha256(b"more").hexdigest()
    folder = ended.home / "landing" / feed / sha256
    folder.mkdir(parents=True)
    (folder / "original").write_bytes(sealed(os.urandom(32), b"more"))
    write_json(folder / "manifest.json", {"feed": feed, "agreement": ended.dataset["agreement"], "sha256": sha256})


def refuse_it_again(ended: Ended, canary: str) -> None:
    """A record of the batch in quarantine."""
    write_json(ended.home / "quarantine" / ended.dataset["feed"] / f"{ended.batch}.json", {"reasons": []})


# --- values


def log_a_value(ended: Ended, canary: str) -> None:
    """A value in a log of Dagster."""
    _placed(ended, "dagster/storage/more/step.out", b"x" * 5_000_000 + f"row 7: {canary}\n".encode())


def log_a_value_in_utf_16(ended: Ended, canary: str) -> None:
    """A value as Windows writes text."""
    _placed(ended, "tmp/export.txt", f"row 7: {canary}".encode("utf-16"))


def log_a_value_in_base64(ended: Ended, canary: str) -> None:
    """A value in the middle of something that was encoded."""
    _placed(ended, "dbt/target/state.json", b'{"pickle": "' + base64.b64encode(f"row: {canary}, 7".encode()) + b'"}')


def log_a_value_in_hex(ended: Ended, canary: str) -> None:
    """A value as bytes are printed."""
    _placed(ended, "tmp/dump", canary.encode().hex().encode())


def name_a_file_by_a_value(ended: Ended, canary: str) -> None:
    """A value as the name of a file."""
    _placed(ended, f"tmp/{canary}.csv", b"")


def pack_a_value_with_gzip(ended: Ended, canary: str) -> None:
    """A value in a gzip file."""
    _placed(ended, "tmp/a.bin", gzip.compress(f"row 7: {canary}".encode()))


def pack_a_value_with_zstd(ended: Ended, canary: str) -> None:
    """A value in a zstd file."""
    target = pa.BufferOutputStream()
    with pa.CompressedOutputStream(target, "zstd") as stream:
        stream.write(f"row 7: {canary}".encode() * 9)
    _placed(ended, "tmp/a.bin", bytes(target.getvalue()))


def pack_a_value_in_a_workbook(ended: Ended, canary: str) -> Arguments:
    """A value in a zip file, in a folder of exports."""
    target = ended.home.parent / "exports"
    target.mkdir()
    with zipfile.ZipFile(target / "book.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sheet.xml", f"<c>{canary}</c>")
    return ["--also", str(target)]


def keep_a_value_in_events(ended: Ended, canary: str) -> None:
    """A value in Dagster's store, in a text of many pages and in a compressed one."""
    path = ended.home / "dagster" / "history" / "more.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE snapshots (body BLOB)")
        connection.execute("INSERT INTO snapshots VALUES (?)", [zlib.compress(f"row 7: {canary}".encode() * 9)])
        connection.commit()


def keep_a_value_in_the_build(ended: Ended, canary: str) -> None:
    """A value in the encrypted build."""
    path = ended.home / "build" / "build.duckdb"
    write_database(path, str(ended.body["release_after"]), [canary], ended.key_of_now("derived"))


def keep_a_value_in_the_internal_tier(ended: Ended, canary: str) -> None:
    """A value in a file of the internal tier's key."""
    path = ended.home / "published" / str(ended.body["release_after"]) / "internal" / "more.duckdb"
    write_database(path, str(ended.body["release_after"]), [canary], ended.key_of_now("internal_tier"))


def keep_a_value_in_the_public_tier(ended: Ended, canary: str) -> None:
    """A value in a plain database."""
    path = ended.home / "published" / str(ended.body["release_after"]) / "public" / "more.duckdb"
    write_database(path, str(ended.body["release_after"]), [f"{canary} {number}" for number in range(3000)])


def keep_a_value_in_accepted_rows(ended: Ended, canary: str) -> None:
    """A value in encrypted Parquet."""
    path = ended.home / "accepted" / "ae_monthly" / "_more.parquet"
    write_parquet(path, [canary], ended.key_of_now("derived"))


def keep_a_value_in_a_sealed_workbook(ended: Ended, canary: str) -> None:
    """A value in a file of another feed, packed and sealed, of several frames."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("picture", os.urandom(3 << 20))
        archive.writestr("xl/sheet.xml", f"<c>{canary}</c>")
    _seal(ended, target.getvalue())


def name_a_batch(ended: Ended, canary: str) -> None:
    """The digest of a batch in a log."""
    _placed(ended, "dagster/storage/more/step.out", f"accepted {ended.batch}".encode())


def name_a_batch_in_the_build(ended: Ended, canary: str) -> None:
    """The digest of a batch in the encrypted build."""
    path = ended.home / "build" / "build.duckdb"
    write_database(path, str(ended.body["release_after"]), [ended.batch], ended.key_of_now("derived"))


def leave_a_database_that_nothing_opens(ended: Ended, canary: str) -> None:
    """A database under a key that nobody has."""
    write_database(ended.home / "operations" / "old.duckdb", "r", ["x"], os.urandom(32))


SABOTAGES = tuple(
    Sabotage(do.__name__, check, do)
    for check, group in {
        "kept_key": (
            keep_a_key,
            keep_a_batch_key,
            keep_a_key_under_another_name,
            keep_a_key_in_a_log,
            keep_keys_in_an_archive,
            rewrap_a_key,
        ),
        "copied_file": (
            copy_an_original,
            leave_the_accepted_rows,
            leave_the_build,
            pack_an_original,
            leave_it_as_it_came,
        ),
        "backup": (restore_a_backup, restore_a_backup_elsewhere, hide_a_backup_behind_a_link),
        "old_release": (forget_a_release, forget_a_release_under_another_name),
        "opens": (seal_again, leave_a_database_that_nothing_opens),
        "write_ahead_log": (leave_a_log_of_writes, leave_a_log_beside_a_release),
        "certificate": (
            tamper_with_the_body,
            tamper_with_the_signature,
            sign_with_another_key,
            leave_out_a_key,
            lie_about_a_fingerprint,
            certify_what_failed,
            unsign,
            cut_the_certificate,
        ),
        "chain": (remove_the_certificate_before, change_the_certificate_before),
        "audit": (edit_the_trail, cut_the_trail, reorder_the_trail, write_the_trail_anew),
        "approvals": (
            approve_alone,
            approve_without_trust,
            approve_what_one_executes,
            change_the_plan,
            change_the_kept_plan,
        ),
        "receipt": (forge_a_receipt, receive_another_package, do_without_a_receipt),
        "re_ingested": (
            receive_again,
            receive_again_under_another_agreement,
            receive_more_of_it,
            refuse_it_again,
        ),
        "canary": (
            log_a_value,
            log_a_value_in_utf_16,
            log_a_value_in_base64,
            log_a_value_in_hex,
            name_a_file_by_a_value,
            pack_a_value_with_gzip,
            pack_a_value_with_zstd,
            pack_a_value_in_a_workbook,
            keep_a_value_in_events,
            keep_a_value_in_the_build,
            keep_a_value_in_the_internal_tier,
            keep_a_value_in_the_public_tier,
            keep_a_value_in_accepted_rows,
            keep_a_value_in_a_sealed_workbook,
        ),
        "digest_found": (name_a_batch, name_a_batch_in_the_build),
    }.items()
    for do in group
)
