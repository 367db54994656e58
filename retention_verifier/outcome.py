"""The outcome: what of the dataset is left, and what still opens.

verify      all of it, in order: the records, a look into every file, what the keys open, what lies where
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from retention_verifier import keys, record
from retention_verifier.keys import Keys
from retention_verifier.needles import Finder, Needle, canary, digest
from retention_verifier.places import Content, Copy, Looker, Place
from retention_verifier.record import NoRecord, Record
from retention_verifier.stores import Stores
from retention_verifier.verdict import Verdict

# Where a batch may still be named: the records of its end.
RECORDS_OF_THE_END = ("retention", "audit", "published/certificates")
# Zones that are made anew, so that a file of before may be made again to the byte.
MADE_ANEW = ("dagster", "dbt", "locks")
# Control files that hold no row: of another batch, or made anew, they may be equal to the byte.
CONTROL = {"build": ".json", "landing": "checks.json"}
# Notes of what was received; the manifest of a batch names its feed, agreement and period.
MANIFEST = "manifest.json"
# What the plan says of a backup whose copies stay, since the keys that opened them are gone.
CLOSED_BY_ITS_KEYS = "closed"


@dataclass(frozen=True)
class Store:
    """Where everything is."""

    home: Path
    keys: Path
    governance: Path
    also: tuple[Path, ...] = ()


def verify(path: Path, store: Store, canaries: Path | None = None, is_signed: bool = True) -> Verdict:
    """The verdict on a certificate; or on the body of one, which has neither signature nor place in the chain yet."""
    verdict = Verdict(path.name.removesuffix(".json"))
    try:
        told = record.read(path, is_signed)
    except NoRecord as error:
        verdict.fail("certificate", path.name, str(error))
        return verdict
    verdict.certificate_id = str(told.body.get("certificate_id") or verdict.certificate_id)
    try:
        record.check_certificate(verdict, told, store.home)
        record.check_approvals(verdict, told, store.governance, store.home)
        record.check_receipts(verdict, told, store.governance, store.home)
        if is_signed:
            record.check_chain(verdict, told, store.home)
            record.check_trail(verdict, told, store.home, store.keys)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        verdict.fail("certificate", path.name, f"a part of it is not of the form of one ({type(error).__name__})")
    _Outcome(verdict, told, store, canaries).judge()
    return verdict


class _Outcome:
    """One look at everything that is there now."""

    def __init__(self, verdict: Verdict, told: Record, store: Store, canaries: Path | None) -> None:
        self.verdict, self.told, self.store = verdict, told, store
        self.batches = told.batches
        # Of a withdrawal the batches stay, and are named: the bytes that came are gone, as of every batch here.
        self.ended = {sha256 for sha256 in told.batches if sha256 not in told.withdrawn}
        self.inventory: dict[str, list[str]] = {}
        for entry in told.body["inventory"]:
            self.inventory.setdefault(entry["sha256"], []).append(entry["path"])
        self.destroyed = {str(entry["key"]): str(entry["fingerprint"]) for entry in told.body["keys_destroyed"]}
        self.canaries = _canaries(canaries)
        if not self.canaries:
            verdict.could_not_try("no canaries were named, so no values were looked for")
        self.keys = Keys()
        self.root_is_missing = ""
        needles: list[Needle] = [canary(text, line) for line, text in self.canaries]
        needles += [digest(sha256) for sha256 in sorted(self.ended)]
        skipped = {path.resolve() for path in (canaries, self._outside(told.path)) if path}
        verdict.mask = self._masked
        self.looker = Looker(
            verdict,
            Finder(needles),
            frozenset(self.inventory) | frozenset(self.batches),
            self.keys,
            self._may_name_batches,
            frozenset(skipped),
        )

    def judge(self) -> None:
        """Look, and add every reason found."""
        self._root()
        self.looker.walk(self._places())
        self.keys.unwrap()
        self.verdict.looked_at["keys"] = len(self.keys.opened)
        self._kept_keys()
        self._signing_key()
        self._open()
        self._copies()
        self._received_again()
        self._releases()
        self._logs()

    def _masked(self, text: str) -> str:
        for line, value in self.canaries:
            text = text.replace(value, f"[canary of line {line}]")
        return text

    def _outside(self, path: Path) -> Path | None:
        """The certificate itself, where it lies among what is looked into but not in the store."""
        return None if self.store.home.resolve() in path.resolve().parents else path

    def _places(self) -> list[Place]:
        store = self.store
        inside = store.home.resolve() in store.keys.resolve().parents
        label = str(store.keys.resolve().relative_to(store.home.resolve())) if inside else "keys"
        found = [Place(store.keys, "keys", label), Place(store.home, "home")]
        found += [Place(path, "folder") for path in store.also]
        try:
            rows = record.governed(store.governance, "backups")
        except NoRecord:
            self.verdict.could_not_try(f"no list of backups in {store.governance}")
            rows = []
        of_plan = [row for row in self.told.plan.get("backups") or [] if isinstance(row, dict)]
        planned = {
            str(row.get("id")): row.get("location")
            for row in of_plan
            if str(row.get("action")).startswith(CLOSED_BY_ITS_KEYS)
        }
        named = {str(row.get("id")): row for row in [*of_plan, *rows]}
        for name, row in sorted(named.items()):
            location = str(row.get("location") or "")
            local = urlsplit(location).path if location.startswith("file:") else location
            if local.startswith("/") and Path(local).exists():
                is_closed = row.get("of") == "data" and planned.get(name) == location
                found.append(Place(Path(local), f"backup of {row.get('of')}", is_closed=is_closed))
            else:
                self.verdict.could_not_try(
                    f"backup {name} at {location or 'no location'}, kept by {row.get('keeper')}: not within reach"
                )
        return found

    def _root(self) -> None:
        try:
            self.keys.add(keys.root(self.store.keys), "root", "the root key")
        except keys.NoRoot as error:
            self.root_is_missing = str(error)
            self.verdict.could_not_try(
                f"without the root key ({error}): wrapped keys were not opened, and nothing that is encrypted"
            )

    def _may_name_batches(self, content: Content) -> bool:
        if content.place.kind == "home":
            path = str(content.path.relative_to(content.place.path))
            return path.startswith(tuple(f"{zone}/" for zone in RECORDS_OF_THE_END))
        of_keys = content.place.kind in ("keys", "backup of keys")
        return content.place.is_closed or (of_keys and content.path == content.place.path / "register.jsonl")

    # --- keys

    def _kept_keys(self) -> None:
        fingerprints = {told: name for name, told in self.destroyed.items() if told} | self._registered()
        for name, where in self.keys.known(fingerprints):
            self.verdict.fail("kept_key", where, f"holds the key {name}, which was destroyed")
        # What such a key opens is told by the name that it had.
        for secret in [*self.keys.opened, *self.keys.mentioned]:
            if name := fingerprints.get(keys.fingerprint(secret), ""):
                self.keys.opened[secret] = name
        if not self.root_is_missing:
            for where in self.keys.unopened():
                self.verdict.could_not_try(f"{where}: no key that was found opens this key")
        files = {}
        for name in self.destroyed:
            for file_name in (keys.file_of(self.store.keys, name).name, f"{name}.key"):
                files[file_name] = files[f"{file_name}.next"] = name
        generation = self._generation()
        for place, path in self.looker.files:
            family, _, number = path.stem.partition(".")
            if path.name in files:
                self.verdict.fail("kept_key", place.told(path), f"is called as the destroyed key {files[path.name]}")
            elif path.name == "batch.key" and path.parent.name in self.batches:
                self.verdict.fail("kept_key", place.told(path), f"is the key of batch {path.parent.name[:12]}")
            elif (
                path.suffix == ".key"
                and family in ("derived", "internal_tier")
                and number.isdigit()
                and int(number) < generation
            ):
                self.verdict.fail("kept_key", place.told(path), "is of a generation that ended")

    def _generation(self) -> int:
        generation = (self.told.body.get("store") or {}).get("generation")
        return generation if isinstance(generation, int) else 0

    def _registered(self) -> dict[str, str]:
        """The fingerprints that the key register has of the destroyed keys; what it does not know is a reason."""
        path, where = self.store.keys / "register.jsonl", self.told.path.name
        known: dict[str, set[str]] = {}
        gone: set[tuple[str, str]] = set()
        try:
            lines = path.read_text().splitlines()
        except (OSError, ValueError):
            self.verdict.fail("certificate", where, "no key register tells of the destroyed keys")
            return {}
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                self.verdict.fail("certificate", where, "the key register was changed: a line of it is no JSON")
                continue
            of, marked = str(row.get("key")), str(row.get("fingerprint"))
            known.setdefault(of, set()).add(marked)
            if row.get("event") == "destroyed":
                gone.add((of, marked))
        for name, told in self.destroyed.items():
            if not told:
                self.verdict.fail("certificate", where, f"key {name} has no fingerprint, so a copy could not be told")
            elif told not in known.get(name, set()):
                self.verdict.fail("certificate", where, f"the key register has no key {name} with that fingerprint")
            elif (name, told) not in gone:
                self.verdict.fail("certificate", where, f"the key register does not say that key {name} was destroyed")
        return {told: name for name in self.destroyed for told in known.get(name, set()) if told}

    def _signing_key(self) -> None:
        if self.told.signature is None:
            return
        publics = [_public(secret) for secret, name in self.keys.opened.items() if name.startswith("signing.")]
        if not publics:
            self.verdict.could_not_try("the store's signing key does not open: it was not compared")
        elif self.told.signature["signing_key"] not in publics:
            self.verdict.fail("certificate", self.told.path.name, "it was signed by a key that is not the store's")

    # --- what opens

    def _open(self) -> None:
        stores = Stores(self.looker)
        before = set(self.told.body["release_before"])
        try:
            # Of a sealed original or a packed file more may come to light.
            while self.looker.sealed:
                self._original(stores, self.looker.sealed.pop())
            for kind, contents, opened_by in (
                ("database", self.looker.databases, stores.database),
                ("Parquet file", self.looker.parquets, stores.parquet),
            ):
                for content in contents:
                    opened = opened_by(content)
                    if opened is None:
                        self._closed(content, kind)
                        continue
                    if opened.key in self.destroyed:
                        self.verdict.fail("opens", content.where, f"a {kind} that the destroyed key {opened.key} opens")
                    for release in sorted(before & set(opened.releases)) if not content.place.is_closed else ():
                        self.verdict.fail("old_release", content.where, f"is release {release} from before the end")
            for content in self.looker.sqlites:
                stores.sqlite(content)
        finally:
            stores.close()

    def _original(self, stores: Stores, content: Content) -> None:
        found = stores.original(content)
        if found is None:
            folder = content.path.parent
            manifest = _read(folder / MANIFEST)
            # The key of another batch may be lost: that is not what this certificate is about.
            of_another = folder.name not in self.batches and manifest and not self._ended(manifest)
            self._closed(content, "sealed original", is_of_another=bool(of_another))
            return
        name, sha256 = found
        if sha256 in self.batches:
            self.verdict.fail("opens", content.where, f"key {name or 'that was found'} opens batch {sha256[:12]}")

    def _closed(self, content: Content, kind: str, is_of_another: bool = False) -> None:
        """No key opens it. In the store that is a reason: whatever belongs there opens."""
        if self.root_is_missing:
            self.verdict.could_not_try(f"{content.where}: an encrypted {kind}")
        elif content.place.kind == "home" and not is_of_another:
            self.verdict.fail("opens", content.where, f"a {kind} that no key opens, so what it holds cannot be shown")
        else:
            self.verdict.could_not_try(f"{content.where}: a {kind} that no key opens")

    # --- copies

    def _copies(self) -> None:
        published = {copy.sha256 for copy in self.looker.copies if self._is_published_now(copy.content)}
        for copy in self.looker.copies:
            content = copy.content
            if content.place.is_closed and copy.sha256 not in self.batches:
                self.verdict.could_not_try(
                    f"{content.place.path}: a backup with sealed copies of what ended, which only destroyed keys opened"
                )
                continue
            # What a key opened is told of as such.
            if copy.sha256 in self.batches and " > sealed" not in content.where:
                self.verdict.fail("copied_file", content.where, f"is batch {copy.sha256[:12]} as it came")
            paths = self.inventory.get(copy.sha256, [])
            if not paths or copy.sha256 in published or self._is_made_again(copy, paths):
                continue
            path = sorted(paths)[0]
            if content.place.kind == "home" and str(content.path.relative_to(self.store.home)) in paths:
                self.verdict.fail("copied_file", content.where, "is of the inventory, and still in its place")
            elif any(content.where.endswith(f"/{one}") for one in paths):
                self.verdict.fail("backup", content.where, "a copy of the store: it is of the inventory")
            else:
                self.verdict.fail("copied_file", content.where, f"is a copy of {path}")

    def _is_published_now(self, content: Content) -> bool:
        """Public figures of the release after are the same to the byte, and may stay."""
        if content.place.kind != "home" or content.depth:
            return False
        parts = content.path.relative_to(self.store.home).parts
        return len(parts) > 3 and parts[0] == "published" and parts[2] == "public" and self._is_of_now(parts[1])

    def _is_made_again(self, copy: Copy, paths: list[str]) -> bool:
        content = copy.content
        if content.place.kind != "home" or content.depth:
            return False
        path = str(content.path.relative_to(self.store.home))
        zone = path.partition("/")[0]
        if zone not in {one.partition("/")[0] for one in paths}:
            return False
        control = CONTROL.get(zone)
        if control:
            own = zone != "landing" or content.path.parent.name not in self.ended
            return own and path.endswith(control)
        return zone in MADE_ANEW

    # --- received again

    def _received_again(self) -> None:
        home = self.store.home
        ended_feeds = {
            dataset["feed"] for dataset in self.told.ended if not dataset.get("from") and not dataset.get("to")
        }
        for place, path in self._judged():
            told = place.told(path)
            if path.name == MANIFEST and (manifest := _read(path)) and self._ended(manifest):
                if place.kind == "home" and path.parent.parent.parent == home / "landing":
                    self.verdict.fail("re_ingested", told, "a batch of what ended is in the landing store")
                else:
                    self.verdict.fail("backup", told, "the manifest of a batch of what ended")
            if place.kind != "home":
                continue
            zone, *rest = path.relative_to(home).parts
            if zone in ("accepted", "quarantine") and len(rest) == 2:
                if path.stem in self.ended:
                    self.verdict.fail("re_ingested", told, f"a batch of what ended is in {zone}/")
                elif (
                    rest[0] in ended_feeds
                    and record.DIGEST.fullmatch(path.stem)
                    and not (home / "landing" / rest[0] / path.stem).is_dir()
                ):
                    self.verdict.fail("re_ingested", told, f"a file of a feed that ended, in {zone}/ without its batch")
            elif zone == "inbox" and len(rest) > 1 and rest[0] in ended_feeds:
                self.verdict.fail("re_ingested", told, "a file of a feed that ended waits in the inbox")
            elif zone == "landing" and len(rest) == 3 and rest[1] in self.ended and path.name == "original":
                self.verdict.fail("re_ingested", told, "a batch of what ended is in the landing store")

    def _ended(self, manifest: dict[str, Any]) -> bool:
        """Whether a batch is of what ended."""
        if manifest.get("sha256") in self.ended:
            return True
        return any(
            manifest.get("feed") == dataset["feed"]
            and manifest.get("agreement") == dataset["agreement"]
            and self._within(manifest, dataset)
            for dataset in self.told.ended
        )

    def _within(self, manifest: dict[str, Any], dataset: dict[str, Any]) -> bool:
        """Whether its period ended. One that reaches beyond it may have stayed, but not have come afterwards."""
        start, end = dataset.get("from"), dataset.get("to")
        if not start and not end:
            return True
        first, last = str(manifest.get("period_start") or ""), str(manifest.get("period_end") or "")
        if not first or not last:
            return False
        start, end = str(start or "0001-01-01")[:10], str(end or "9999-12-31")[:10]
        received, ended_at = record.instant(manifest.get("received_at")), self.told.ended_at
        if received and ended_at and received > ended_at:
            return first[:10] <= end and last[:10] >= start
        return first[:10] >= start and last[:10] <= end

    def _judged(self) -> Iterator[tuple[Place, Path]]:
        """Every file but those of backups that are closed by their keys."""
        return ((place, path) for place, path in self.looker.files if not place.is_closed)

    # --- releases and logs

    def _is_of_now(self, folder: str) -> bool:
        """Whether a release may be there: the one after the end, or a later one."""
        about = _read(self.store.home / "published" / folder / "release.json")
        release = str((about or {}).get("release_id") or folder)
        if release in self.told.body["release_before"] or folder in self.told.body["release_before"]:
            return False
        if release == self.told.body.get("release_after"):
            return True
        published, ended_at = record.instant((about or {}).get("published_at")), self.told.ended_at
        return published is not None and (ended_at is None or published > ended_at)

    def _releases(self) -> None:
        home = self.store.home
        before = set(self.told.body["release_before"])
        folders = set()
        for place, path in self._judged():
            if path.name == "release.json" and (about := _read(path)) and about.get("release_id") in before:
                self.verdict.fail("old_release", place.told(path.parent), "is a release from before the end")
            if place.kind == "home":
                parts = path.relative_to(home).parts
                if len(parts) > 2 and parts[0] == "published" and parts[1] != "certificates":
                    folders.add(parts[1])
        for folder in sorted(folders):
            if not self._is_of_now(folder):
                self.verdict.fail(
                    "old_release", f"published/{folder}", "is a release from before the end, or a part of one"
                )
        current = home / "published" / "current"
        if current.is_symlink() and current.resolve().name in before:
            self.verdict.fail("old_release", "published/current", "names a release from before the end")

    def _logs(self) -> None:
        for place, path in self._judged():
            if path.name.endswith(".wal"):
                self.verdict.fail("write_ahead_log", place.told(path), "a write-ahead log was left behind")
            elif path.name.startswith("duckdb_temp_"):
                self.verdict.fail("write_ahead_log", place.told(path), "spill was left behind")


def _canaries(path: Path | None) -> list[tuple[int, str]]:
    """The seeded values with their line numbers."""
    if path is None:
        return []
    lines = enumerate(path.read_text().splitlines(), 1)
    return [(number, line.strip()) for number, line in lines if line.strip()]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _public(secret: bytes) -> str:
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key()
    return base64.b64encode(public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)).decode()
