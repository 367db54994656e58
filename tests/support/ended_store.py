"""A small store of which two datasets have ended, made by hand in the formats of the design.

Nothing of the pipeline nor of the verifier is used, so that a mistake of either shows. Of three feeds one stays:

    ecds_attendances/synthetic_person_level   destroyed: two batches, one accepted and one quarantined
    care_home_residents/lent_by_the_council   returned: one batch
    ae_monthly/nhs_england_published          stays
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import importlib.metadata
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

CANARIES = ("Kanarienvogt", "999 081 7464", "Zoë Kanarie of 17 Kanarievogel Lane", "KANLOC90817")
PERSONS = ("ecds_attendances", "synthetic_person_level")
LENT = ("care_home_residents", "lent_by_the_council")
PUBLIC = ("ae_monthly", "nhs_england_published")
EARLIER = ("covid_tests", "synthetic_person_level")
ALGORITHMS = {"feed": "AES-256-KW", "batch": "AES-256-GCM", "signing": "Ed25519"}
BEGUN = dt.datetime(2022, 7, 1, 9, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Ended:
    """A store after an end, with copies of itself from before: what a sabotage needs to undo what was done."""

    home: Path
    keys: Path
    governance: Path
    certificate: Path
    before_home: Path
    before_keys: Path

    @property
    def signed(self) -> dict[str, Any]:
        """The certificate as it lies."""
        return dict(json.loads(self.certificate.read_text()))

    @property
    def body(self) -> dict[str, Any]:
        """What it says."""
        return dict(self.signed["body"])

    @property
    def dataset(self) -> dict[str, Any]:
        """The first dataset of it with an accepted batch."""
        return next(one for one in self.body["plan"]["datasets"] if "accepted" in str(one["batches"]))

    @property
    def batch(self) -> str:
        """The digest of an accepted batch of that dataset."""
        return next(str(one["sha256"]) for one in self.dataset["batches"] if one["verdict"] == "accepted")

    def root(self) -> bytes:
        """The root key of the store."""
        return base64.b64decode((self.keys / "root.key").read_text())

    def secret(self, name: str, *, before: bool = False) -> bytes:
        """A key of the store, or of the store before the end."""
        return unwrapped(self.root(), (self.before_keys if before else self.keys) / f"{name}.key")

    def key_of_now(self, family: str) -> bytes:
        """The key of the generation that is in use."""
        return self.secret(f"{family}.{self.body['store']['generation']}")

    def signing_key(self) -> Ed25519PrivateKey:
        """The key that signs the store's certificates."""
        return Ed25519PrivateKey.from_private_bytes(self.secret("signing.1"))

    def certify(self, body: dict[str, Any]) -> None:
        """Sign another body in the place of the certificate, as who owns the store could."""
        key = self.signing_key()
        self.certificate.chmod(0o644)
        self.certificate.write_text(json.dumps(signed(body, key)))


# --- formats


def canonical(value: Any) -> bytes:
    """JSON as it is signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def digest(value: Any) -> str:
    """Its SHA-256."""
    return hashlib.sha256(canonical(value)).hexdigest()


def public(key: Ed25519PrivateKey) -> str:
    """A public key as text."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def signature(key: Ed25519PrivateKey, told: str) -> str:
    """A signature over a digest's text."""
    return base64.b64encode(key.sign(told.encode())).decode()


def signed(body: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """A certificate."""
    told = digest(body)
    return {"body": body, "digest": told, "signature": signature(key, told), "signing_key": public(key)}


def receipt(key: Ed25519PrivateKey, agreement: str, package: str, at: str) -> dict[str, Any]:
    """What a controller answers to a package."""
    told = {"agreement": agreement, "package_sha256": package, "received_at": at, "received_by": "records office"}
    return {**told, "signature": signature(key, digest(told))}


def fingerprint(secret: bytes) -> str:
    """What tells a key."""
    return hashlib.sha256(b"covid-datastore key\n" + secret).hexdigest()[:32]


def wrapped(key: bytes, secret: bytes) -> bytes:
    """The content of a key file."""
    return base64.b64encode(aes_key_wrap(key, secret)) + b"\n"


def unwrapped(key: bytes, path: Path) -> bytes:
    """The key in a key file."""
    return aes_key_unwrap(key, base64.b64decode(path.read_text()))


def sealed(secret: bytes, content: bytes, frame: int = 1 << 20) -> bytes:
    """A sealed original."""
    magic, cipher, target = b"CDSEAL1\n", AESGCM(secret), io.BytesIO()
    target.write(magic)
    frames = [content[start : start + frame] for start in range(0, len(content), frame)] or [b""]
    for number, part in enumerate(frames):
        last = b"\x01" if number == len(frames) - 1 else b"\x00"
        target.write(cipher.encrypt(number.to_bytes(11, "big") + last, part, magic))
    return target.getvalue()


def text(secret: bytes) -> str:
    """A key as DuckDB takes it."""
    return base64.b64encode(secret).decode()


@contextlib.contextmanager
def opened() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the module that writes encrypted files."""
    name = "httpfs"
    distribution = importlib.metadata.distribution(f"duckdb-extension-{name}")
    module = f"duckdb_extension_{name}/extensions/v{duckdb.__version__}/{name}.duckdb_extension"
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        connection.load_extension(str(distribution.locate_file(module)))
        yield connection


def write_parquet(path: Path, values: list[str], secret: bytes | None = None) -> None:
    """One column of text as Parquet, encrypted under a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened() as connection:
        option = ""
        if secret:
            connection.execute(f"PRAGMA add_parquet_key('store', '{text(secret)}')")
            option = ", ENCRYPTION_CONFIG {footer_key: 'store'}"
        connection.execute(
            f"COPY (SELECT unnest(?) AS place) TO '{path}' (FORMAT parquet, COMPRESSION zstd{option})", [values]
        )


def write_database(path: Path, release: str, values: list[str], secret: bytes | None = None) -> None:
    """A database with mart `release` and a table of text, encrypted under a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened() as connection:
        option = f" (ENCRYPTION_KEY '{text(secret)}')" if secret else ""
        connection.execute(f"ATTACH '{path}' AS made{option}")
        connection.execute("CREATE SCHEMA IF NOT EXISTS made.marts")
        connection.execute(
            "CREATE OR REPLACE TABLE made.marts.release AS SELECT ? AS release_id, true AS is_current", [release]
        )
        connection.execute(
            "CREATE OR REPLACE TABLE made.marts.places AS SELECT unnest(?) AS place, 42 AS beds", [values]
        )
        connection.execute("CHECKPOINT made")
        connection.execute("DETACH made")


def write_json(path: Path, value: Any) -> None:
    """A JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, sort_keys=True))


# --- the store


class _Making:
    """The store while it is made."""

    def __init__(self, folder: Path) -> None:
        self.home, self.keys, self.governance = folder / "home", folder / "keys", folder / "governance"
        for path in (self.home, self.keys, self.governance):
            path.mkdir(parents=True)
        self.secrets: dict[str, bytes] = {"root": os.urandom(32)}
        (self.keys / "root.key").write_bytes(base64.b64encode(self.secrets["root"]) + b"\n")
        self.at = BEGUN
        self.line = b""
        self.people = {name: Ed25519PrivateKey.generate() for name in ("guardian", "officer", "council")}

    def now(self) -> str:
        """Every question a minute later."""
        self.at += dt.timedelta(minutes=1)
        return self.at.isoformat()

    def key(self, name: str, wrapping: str = "root") -> bytes:
        """Make a key."""
        secret = self.secrets[name] = os.urandom(32)
        path = self.key_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wrapped(self.secrets[wrapping], secret))
        self.register(name, "created", wrapping)
        return secret

    def signing_key(self) -> Ed25519PrivateKey:
        """The key of the store's certificates."""
        return Ed25519PrivateKey.from_private_bytes(self.secrets["signing.1"])

    def key_file(self, name: str) -> Path:
        """Where a key lies."""
        if name.startswith("batch."):
            _, feed, sha256 = name.split(".")
            return self.keys / "batches" / feed / f"{sha256}.key"
        return self.keys / f"{name}.key"

    def register(self, name: str, event: str, wrapping: str) -> dict[str, str]:
        """A line of the key register."""
        line = {
            "at": self.now(), "event": event, "key": name, "fingerprint": fingerprint(self.secrets[name]),
            "wrapped_by": wrapping, "algorithm": ALGORITHMS.get(name.split(".")[0], "AES-256 (DuckDB, Parquet)"),
            "rng": "os.urandom", "actor": "store", "reason": "test",
        }  # fmt: skip
        with (self.keys / "register.jsonl").open("a") as register:
            register.write(json.dumps(line) + "\n")
        return line

    def audit(self, what: str, **facts: Any) -> None:
        """A line of the audit trail."""
        path = self.home / "audit" / "trail.jsonl"
        path.parent.mkdir(exist_ok=True)
        number = len(path.read_bytes().splitlines()) + 1 if path.exists() else 1
        previous = hashlib.sha256(self.line).hexdigest() if self.line else ""
        entry = {"number": number, "at": self.now(), "who": "store", "what": what, **facts, "previous": previous}
        self.line = json.dumps(entry).encode()
        with path.open("ab") as trail:
            trail.write(self.line + b"\n")
        self.head = {"number": number, "digest": hashlib.sha256(self.line).hexdigest()}
        write_json(self.keys / "audit.head", self.head)

    def receive(self, of: tuple[str, str], content: bytes, verdict: str) -> dict[str, Any]:
        """Seal a file, read it, judge it."""
        feed, agreement = of
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"feed.{feed}.{agreement}"
        if name not in self.secrets:
            self.key(name)
        folder = self.home / "landing" / feed / sha256
        folder.mkdir(parents=True)
        (folder / "original").write_bytes(sealed(self.key(f"batch.{feed}.{sha256}", name), content))
        batch = {
            "sha256": sha256, "size_bytes": len(content), "period_start": "2020-04-01", "period_end": "2020-04-30",
            "received_at": self.now(),
        }  # fmt: skip
        write_json(folder / "manifest.json", {**batch, "feed": feed, "agreement": agreement, "wrapping_key": name})
        write_json(folder / "checks.json", {"format": 1, "checks": []})
        if verdict == "accepted":
            path = self.home / "accepted" / feed / f"{sha256}.parquet"
            write_parquet(path, ["a ward", "a lane"], self.secrets["derived.1"])
        else:
            write_json(self.home / "quarantine" / feed / f"{sha256}.json", {"sha256": sha256, "reasons": []})
        self.audit("receive", feed=feed, sha256=sha256)
        return {**batch, "verdict": verdict}

    def release(self, release: str, generation: int) -> None:
        """Build and publish."""
        derived, internal = (self.secrets[f"{family}.{generation}"] for family in ("derived", "internal_tier"))
        build = self.home / "build"
        shutil.rmtree(build, ignore_errors=True)
        write_database(build / "build.duckdb", release, ["of the build"], derived)
        write_database(build / "internal.duckdb", release, ["of persons"], internal)
        write_json(build / "release_gate.json", {"kept": "rules"})
        folder = self.home / "published" / release
        write_database(folder / "public" / "datastore.duckdb", release, ["public places"])
        write_parquet(folder / "public" / "parquet" / "places" / "places.parquet", ["public places"])
        write_database(folder / "internal" / "datastore.duckdb", release, ["internal places"], internal)
        write_json(folder / "release.json", {"release_id": release, "published_at": self.now()})
        current = self.home / "published" / "current"
        current.unlink(missing_ok=True)
        current.symlink_to(release)

    def tools(self) -> None:
        """What Dagster and dbt leave."""
        path = self.home / "dagster" / "history" / "runs.db"
        path.parent.mkdir(parents=True)
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE event_logs (id INTEGER PRIMARY KEY, event TEXT, body BLOB)")
            connection.execute("INSERT INTO event_logs (event) VALUES ('{\"rows\": 42}')")
            connection.commit()
        for name in ("dagster/storage/run/compute_logs/step.err", "dbt/target/compiled/mart.sql", "dbt/logs/dbt.log"):
            path = self.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("select 42\n")
        for name in ("operations", "inbox", "tmp", "locks"):
            (self.home / name).mkdir()
        (self.home / "generation").write_text("1")

    def govern(self) -> None:
        """Whom to trust."""
        return_to = {"receipt_key": public(self.people["council"])}
        agreement = {"id": LENT[1], "disposition": {"action": "return", "return_to": return_to}}
        approvers = [
            {"id": name, "name": name.title(), "public_key": public(self.people[name]), "from": "2020-01-01"}
            for name in ("guardian", "officer")
        ]
        for name, rows in (
            ("agreements", [agreement, {"id": PERSONS[1], "disposition": {"action": "destroy"}}]),
            ("approvers", approvers),
            ("backups", [{"id": "tape", "location": "Vault 2", "of": "data", "keeper": "Backup team"}]),
        ):
            (self.governance / f"{name}.yaml").write_text(yaml.safe_dump({name: rows}))

    def plan(self, end: str, datasets: list[dict[str, Any]], keys: list[str]) -> dict[str, Any]:
        """A plan, kept with its approvals."""
        return {
            "format": 1, "end": {"id": end, "kind": "ended"}, "requested_by": "Information governance",
            "governance_sha256": "0" * 64, "signing_key": public(self.signing_key()),
            "datasets": datasets, "remains": [], "losses": [], "holds": [], "backups": [], "keys": keys,
        }  # fmt: skip

    def dataset(self, of: tuple[str, str], batches: list[dict[str, Any]], disposition: str) -> dict[str, Any]:
        """A dataset of a plan."""
        keys = [f"batch.{of[0]}.{one['sha256']}" for one in batches]
        return {
            "dataset": "/".join(of), "feed": of[0], "agreement": of[1], "clause": "it ends", "controller": "somebody",
            "disposition": disposition, "from": None, "to": None, "batches": batches,
            "keys": [*keys, f"feed.{of[0]}.{of[1]}"],
        }  # fmt: skip

    def approvals(self, plan: dict[str, Any]) -> list[dict[str, Any]]:
        """Two people sign a plan."""
        told = digest(plan)
        given = [
            {
                "approver": name,
                "at": self.now(),
                "plan": told,
                "accepts_losses": True,
                "signature": signature(key, told),
            }
            for name, key in self.people.items()
            if name != "council"
        ]
        folder = self.home / "retention" / "plans" / told
        write_json(folder / "plan.json", plan)
        for one in given:
            write_json(folder / "approvals" / f"{one['approver']}.json", one)
        return given

    def destroy(self, names: list[str]) -> list[dict[str, str]]:
        """Destroy keys."""
        gone = []
        for name in names:
            self.key_file(name).unlink()
            line = self.register(name, "destroyed", "root")
            told = {name: line[name] for name in ("key", "fingerprint", "algorithm", "wrapped_by")}
            gone.append({**told, "destroyed_at": line["at"]})
        return gone

    def files(self, *zones: str) -> list[dict[str, Any]]:
        """The files of zones with their hashes."""
        return [
            {
                "zone": path.relative_to(self.home).parts[0], "path": str(path.relative_to(self.home)),
                "bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for zone in zones
            for path in sorted((self.home / zone).rglob("*"))
            if path.is_file() and not path.is_symlink() and "current" not in path.parts
        ]  # fmt: skip

    def certify(self, plan: dict[str, Any], number: int, previous: str, **facts: Any) -> Path:
        """Sign a certificate into the public log."""
        told = digest(plan)
        body = {
            "format": 1, "certificate_id": f"{plan['end']['id']}-{told[:12]}", "number": number, "previous": previous,
            "plan": plan, "plan_sha256": told, "requested_by": plan["requested_by"],
            "approved_by": ["guardian", "officer"], "executed_by": "store", "ended_at": self.now(),
            "method": {"purge": "keys destroyed"}, "copies_covered": [],
            "residual": [], "backups": [], "verification": {"passed": True, "findings": []}, "audit_head": self.head,
            "return": None, **facts,
        }  # fmt: skip
        path = self.home / "published" / "certificates" / f"{body['certificate_id']}.json"
        write_json(path, signed(body, self.signing_key()))
        self.audit("certify", certificate=body["certificate_id"])
        return path


def make(folder: Path) -> Ended:
    """Make a store, let something end, and keep what it was before."""
    store = _Making(folder)
    store.govern()
    store.tools()
    for name in ("signing.1", "derived.1", "internal_tier.1"):
        store.key(name)
    persons = f"nhs_number,name\n{CANARIES[1]},{CANARIES[0]}\n".encode()
    of_persons = [
        store.receive(PERSONS, persons + b"x" * (1 << 20), "accepted"),
        store.receive(PERSONS, persons, "quarantined"),
    ]
    lent = [store.receive(LENT, b"name\n" + CANARIES[2].encode(), "accepted")]
    store.receive(PUBLIC, b"org,beds\nRXX,42\n", "accepted")
    store.release("20220701T0900-before", 1)
    earlier = _earlier(store)
    for name in ("home", "keys"):
        shutil.copytree(folder / name, folder / "before" / name, symlinks=True)
    certificate = _end(store, of_persons, lent, earlier)
    return Ended(store.home, store.keys, store.governance, certificate, folder / "before/home", folder / "before/keys")


def _earlier(store: _Making) -> dict[str, Any]:
    """A certificate of an end before this one."""
    store.key(f"feed.{EARLIER[0]}.{EARLIER[1]}")
    plan = store.plan("tests-ended", [store.dataset(EARLIER, [], "destroy")], [])
    path = store.certify(
        plan, 1, "", approvals=store.approvals(plan), started_at=store.now(), inventory=[], release_before=[],
        release_after="20220701T0900-before", keys_destroyed=store.destroy([f"feed.{EARLIER[0]}.{EARLIER[1]}"]),
        store={"generation": 1},
    )  # fmt: skip
    return dict(json.loads(path.read_text()))


def _end(store: _Making, of_persons: list[Any], lent: list[Any], earlier: dict[str, Any]) -> Path:
    datasets = [store.dataset(PERSONS, of_persons, "destroy"), store.dataset(LENT, lent, "return")]
    plan = store.plan("policy-ended", datasets, ["derived.1", "internal_tier.1"])
    approvals = store.approvals(plan)
    package = digest({"files": [one["sha256"] for one in lent]})
    returned = {"package_sha256": package, "recipient": "age1", "delivered_to": "file:///council"}
    returned["receipt"] = receipt(store.people["council"], LENT[1], package, store.now())
    started_at = store.now()
    published = "published/20220701T0900-before"
    zones = ["landing/ecds_attendances", "landing/care_home_residents", "accepted", "quarantine", "build", published]
    same = {one["sha256"] for one in store.files(f"{published}/public/parquet", "landing/ae_monthly")}
    inventory = [one for one in store.files(*zones) if one["sha256"] not in same]
    for name in ("derived.2", "internal_tier.2"):
        store.key(name)
    for path in (store.home / "accepted").glob("*/*"):
        path.unlink()
    [stays] = (store.home / "landing" / PUBLIC[0]).iterdir()
    write_parquet(store.home / "accepted" / PUBLIC[0] / f"{stays.name}.parquet", ["beds"], store.secrets["derived.2"])
    store.release("20220701T1200-after", 2)
    gone = store.destroy([*plan["keys"], *(name for one in datasets for name in one["keys"])])
    for folder in (*zones[:2], "quarantine", published):
        shutil.rmtree(store.home / folder)
    (store.home / "generation").write_text("2")
    store.audit("destroy", plan=digest(plan))
    return store.certify(
        plan, 2, earlier["digest"], approvals=approvals, started_at=started_at, inventory=inventory,
        keys_destroyed=gone,
        release_before=["20220701T0900-before"], release_after="20220701T1200-after", store={"generation": 2},
        **{"return": {LENT[1]: returned}},
    )  # fmt: skip
