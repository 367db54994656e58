"""What the certificate says, and whether it may say so: its shape, signature, plan, approvals, receipts and chain."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from retention_verifier.verdict import Verdict

DIGEST = re.compile(r"[0-9a-f]{64}")
# The disposition of a dataset that stays, without the rows of one person.
WITHDRAWN = "withdraw"
# What a body must say for its outcome to be looked for, and what a certificate says besides.
BODY: dict[str, Any] = {
    "plan": {"end": {"id": str}, "datasets": [{"feed": str, "agreement": str, "batches": [{"sha256": str}]}]},
    "plan_sha256": str,
    "approvals": [{"approver": str, "at": str, "plan": str, "signature": str}],
    "inventory": [{"path": str, "bytes": int, "sha256": str}],
    "keys_destroyed": [{"key": str, "fingerprint": str}],
    "release_before": [str],
}
CERTIFICATE: dict[str, Any] = {
    **BODY,
    "format": int,
    "certificate_id": str,
    "number": int,
    "previous": str,
    "requested_by": str,
    "approved_by": [str],
    "executed_by": str,
    "started_at": str,
    "ended_at": str,
    "method": dict,
    "verification": {"passed": bool},
    "audit_head": {"number": int, "digest": str},
    "store": {"generation": int},
}
SIGNED: dict[str, Any] = {"body": dict, "digest": str, "signature": str, "signing_key": str}


class NoRecord(Exception):
    """No certificate, or none that can be verified; one line that says why."""


def canonical(value: Any) -> bytes:
    """The one way in which a value is written to be signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def digest(value: Any) -> str:
    """SHA-256 of a value as it is signed."""
    return hashlib.sha256(canonical(value)).hexdigest()


def signed_by(public_key: str, signature: str, text: str) -> bool:
    """Whether the signature over a digest's hex text is that of the key."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), text.encode())
    except (InvalidSignature, ValueError, TypeError, AttributeError):
        return False
    return True


def instant(text: object) -> dt.datetime | None:
    """An instant of the records; None for anything else."""
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def lacking(value: Any, shape: Any, where: str = "") -> str | None:
    """The first part of a shape that a value has not, told by its path."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return where or "an object"
        for name, inner in shape.items():
            path = f"{where}.{name}" if where else name
            if name not in value:
                return path
            if found := lacking(value[name], inner, path):
                return found
        return None
    if isinstance(shape, list):
        if not isinstance(value, list):
            return where
        return next(
            (found for at, one in enumerate(value) if (found := lacking(one, shape[0], f"{where}[{at}]"))), None
        )
    return None if isinstance(value, shape) and (shape is not int or not isinstance(value, bool)) else where


@dataclass
class Record:
    """A certificate, or the body of one that is not signed yet."""

    path: Path
    body: dict[str, Any]
    signature: dict[str, Any] | None

    @property
    def plan(self) -> dict[str, Any]:
        """The plan that it carried out."""
        return dict(self.body["plan"])

    @property
    def datasets(self) -> list[dict[str, Any]]:
        """What ended."""
        return list(self.plan["datasets"])

    @property
    def ended(self) -> list[dict[str, Any]]:
        """The datasets that went, not those of which one person's rows were taken out."""
        return [one for one in self.datasets if one.get("disposition") != WITHDRAWN]

    @property
    def withdrawn(self) -> set[str]:
        """The batches that stay without the rows of a person: not one of their old bytes may be left."""
        return set(self.batches) - {str(one["sha256"]) for dataset in self.ended for one in dataset["batches"]}

    @property
    def batches(self) -> dict[str, tuple[str, str]]:
        """The batches of which the bytes that came are gone: of each digest the feed and the agreement."""
        return {
            str(batch["sha256"]): (str(dataset["feed"]), str(dataset["agreement"]))
            for dataset in self.datasets
            for batch in dataset["batches"]
        }

    @property
    def ended_at(self) -> dt.datetime | None:
        """When it was carried out."""
        return instant(self.body.get("ended_at"))

    @property
    def returns(self) -> list[dict[str, Any]]:
        """The packages that were given back: one, or one an agreement."""
        found = self.body.get("return") or []
        if isinstance(found, dict):
            found = [found] if "package_sha256" in found else list(found.values())
        return [one for one in found if isinstance(one, dict)]


def read(path: Path, is_signed: bool) -> Record:
    """The record in a file; raises `NoRecord`."""
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise NoRecord(f"it cannot be read: {error.strerror or type(error).__name__}") from None
    except (ValueError, RecursionError):
        raise NoRecord("it is no JSON") from None
    if is_signed:
        if lack := lacking(value, SIGNED):
            unsigned = lack in ("signature", "signing_key", "digest")
            raise NoRecord(f"it is {'not signed' if unsigned else 'no certificate'}: it lacks {lack}")
        body, signature = value["body"], value
    else:
        body, signature = (value["body"] if isinstance(value, dict) and "body" in value else value), None
    if lack := lacking(body, CERTIFICATE if is_signed else BODY):
        raise NoRecord(f"it is only a part of a certificate: it lacks {lack}")
    if not body["plan"]["datasets"]:
        raise NoRecord("it is of no dataset")
    wrong = next((sha for sha in _digests(body) if not DIGEST.fullmatch(sha)), None)
    if wrong is not None:
        raise NoRecord("a digest in it is no SHA-256")
    return Record(path, body, signature)


def _digests(body: dict[str, Any]) -> list[str]:
    found = [str(body["plan_sha256"]), *(str(entry["sha256"]) for entry in body["inventory"])]
    return found + [str(one["sha256"]) for dataset in body["plan"]["datasets"] for one in dataset["batches"]]


def governed(folder: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a file of the governance; raises `NoRecord`."""
    path = folder / f"{name}.yaml"
    try:
        value = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise NoRecord(f"{path} cannot be read: {error.strerror}") from None
    except yaml.YAMLError:
        raise NoRecord(f"{path} is no YAML") from None
    rows = value.get(name) if isinstance(value, dict) else value
    return [row for row in rows or [] if isinstance(row, dict)]


def check_certificate(verdict: Verdict, record: Record, home: Path) -> None:
    """The certificate is its own, signed, of the plan that it names, and covers all of it."""
    where, body, plan = record.path.name, record.body, record.plan
    if digest(plan) != body["plan_sha256"]:
        verdict.fail("certificate", where, "the plan in it is not the one whose hash it names")
    if record.signature is not None:
        _check_signature(verdict, record)
        if body["certificate_id"] != f"{plan['end']['id']}-{body['plan_sha256'][:12]}":
            verdict.fail("certificate", where, "its id is not that of its end and plan")
        if record.body["verification"]["passed"] is not True:
            verdict.fail("certificate", where, "it says itself that the verification before it was signed failed")
    kept = home / "retention" / "plans" / body["plan_sha256"] / "plan.json"
    if (value := _json(kept)) is not None and digest(value) != body["plan_sha256"]:
        verdict.fail("approvals", str(kept.relative_to(home)), "the plan was changed after it was approved")
    inventory = home / "retention" / "executions" / body["plan_sha256"] / "inventory.json"
    if (value := _json(inventory)) is not None and value != body["inventory"]:
        verdict.fail("certificate", str(inventory.relative_to(home)), "the inventory is not the one in the certificate")
    _check_covered(verdict, record)


def _check_signature(verdict: Verdict, record: Record) -> None:
    where, signed = record.path.name, dict(record.signature or {})
    if digest(record.body) != signed["digest"]:
        verdict.fail("certificate", where, "the body was changed: its digest is another")
    if not signed_by(signed["signing_key"], signed["signature"], digest(record.body)):
        verdict.fail("certificate", where, "the signature is not that of its signing key over this body")
    if signed["signing_key"] != record.plan.get("signing_key"):
        verdict.fail("certificate", where, "it was signed by another key than the one in the approved plan")


def _check_covered(verdict: Verdict, record: Record) -> None:
    """Every batch and key of the plan is in the inventory and among the destroyed keys."""
    where, body = record.path.name, record.body
    paths = {entry["path"] for entry in body["inventory"]}
    destroyed = {entry["key"] for entry in body["keys_destroyed"]}
    accepted = False
    planned = [name for one in [record.plan, *record.datasets] for name in one.get("keys") or []]
    for name in planned:
        if name not in destroyed:
            verdict.fail("certificate", where, f"key {name} of the plan is not among the destroyed keys")
    for dataset in record.datasets:
        feed, agreement = dataset["feed"], dataset["agreement"]
        for batch in dataset["batches"]:
            sha256 = batch["sha256"]
            if f"landing/{feed}/{sha256}/original" not in paths:
                verdict.fail("certificate", where, f"the inventory lacks the original of batch {sha256[:12]}")
            if batch.get("verdict") == "accepted":
                accepted = True
                if f"accepted/{feed}/{sha256}.parquet" not in paths:
                    verdict.fail("certificate", where, f"the inventory lacks the accepted rows of batch {sha256[:12]}")
            # What was sealed anew before has a number behind its name.
            of_it = {name for name in destroyed if f"{name}.".startswith(f"batch.{feed}.{sha256}.")}
            if not of_it | (destroyed & {f"feed.{feed}.{agreement}"}):
                verdict.fail("certificate", where, f"no key of batch {sha256[:12]} is among the destroyed keys")
    if accepted and not any(name.startswith("derived.") for name in destroyed):
        verdict.fail("certificate", where, "rows were accepted, and no key of derived stores was destroyed")


def check_approvals(verdict: Verdict, record: Record, governance: Path, home: Path) -> None:
    """Two different trusted approvers, neither of them who requested or executed, signed this very plan."""
    where, body, plan = record.path.name, record.body, record.plan
    try:
        trusted: dict[str, list[dict[str, Any]]] = {}
        for row in governed(governance, "approvers"):
            trusted.setdefault(str(row.get("id")), []).append(row)
    except NoRecord as error:
        verdict.fail("approvals", where, f"nobody can be trusted: {error}")
        return
    others = {
        _person(name): role
        for name, role in (
            (plan.get("requested_by"), "requested"),
            (body.get("requested_by"), "requested"),
            (body.get("executed_by"), "executed"),
        )
        if name
    }
    good: dict[str, str] = {}
    for approval in body["approvals"]:
        approver = approval["approver"]
        # Who has a new key has a second row.
        rows = trusted.get(approver) or [{}]
        faults = [_wrong_approval(approval, row, plan, body, others) for row in rows]
        if None in faults:
            good[approver] = str(rows[faults.index(None)]["public_key"])
        else:
            verdict.fail("approvals", where, f"approval of {approver}: {faults[-1]}")
    if len(good) < 2 or len(set(good.values())) < 2:
        verdict.fail("approvals", where, "fewer than two different trusted approvers approved this plan")
    if "approved_by" in body and sorted(body["approved_by"]) != sorted({one["approver"] for one in body["approvals"]}):
        verdict.fail("approvals", where, "those who approved are not those whose approvals it holds")
    for approval in body["approvals"]:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", approval["approver"]):
            continue
        folder = home / "retention" / "plans" / body["plan_sha256"] / "approvals"
        kept = _json(folder / f"{approval['approver']}.json")
        if kept is not None and kept != approval:
            verdict.fail("approvals", where, f"approval of {approval['approver']}: the one kept with the plan differs")


def _wrong_approval(
    approval: dict[str, Any], row: dict[str, Any], plan: dict[str, Any], body: dict[str, Any], others: dict[str, str]
) -> str | None:
    if not row:
        return "not in governance/approvers.yaml"
    role = others.get(_person(row.get("id"))) or others.get(_person(row.get("name")))
    if role:
        return f"this is who {role} it"
    if approval["plan"] != body["plan_sha256"] or approval["plan"] != digest(plan):
        return "of another plan"
    if not signed_by(str(row.get("public_key")), approval["signature"], approval["plan"]):
        return "the signature is not theirs"
    at, started = instant(approval["at"]), instant(body.get("started_at"))
    if at is None or (started and at > started):
        return "given after it was carried out"
    day = at.date().isoformat()
    if day < str(row.get("from") or day)[:10] or day > str(row.get("to") or day)[:10]:
        return "given on a day on which they were no approver"
    if plan.get("losses") and approval.get("accepts_losses") is not True:
        return "it does not accept the losses of the plan"
    return None


def _person(name: object) -> str:
    return str(name or "").strip().casefold()


def check_receipts(verdict: Verdict, record: Record, governance: Path, home: Path) -> None:
    """What had to be returned was received before anything was destroyed, by the controller's own signature."""
    where, body = record.path.name, record.body
    due = sorted({str(dataset["agreement"]) for dataset in record.datasets if dataset.get("disposition") == "return"})
    if not due:
        return
    try:
        agreements = {str(row.get("id")): row for row in governed(governance, "agreements")}
    except NoRecord as error:
        verdict.fail("receipt", where, str(error))
        return
    for agreement in due:
        given = [one for one in record.returns if (one.get("receipt") or {}).get("agreement") == agreement]
        if not given:
            verdict.fail("receipt", where, f"no receipt for what was returned under {agreement}")
        for one in given:
            receipt = dict(one["receipt"])
            told = {name: receipt.get(name) for name in ("agreement", "package_sha256", "received_at", "received_by")}
            disposition = agreements.get(agreement, {}).get("disposition")
            return_to = disposition.get("return_to") if isinstance(disposition, dict) else None
            key = str((return_to or {}).get("receipt_key"))
            if not signed_by(key, str(receipt.get("signature")), digest(told)):
                verdict.fail("receipt", where, f"the receipt under {agreement} is not signed by the controller's key")
            if receipt.get("package_sha256") != one.get("package_sha256"):
                verdict.fail("receipt", where, f"the receipt under {agreement} is of another package")
            received = instant(receipt.get("received_at"))
            first = min(
                filter(None, (instant(entry.get("destroyed_at")) for entry in body["keys_destroyed"])), default=None
            )
            if received is None or (first and received > first):
                verdict.fail("receipt", where, f"keys were destroyed before the receipt under {agreement}")
    _check_package(verdict, record, home)


def _check_package(verdict: Verdict, record: Record, home: Path) -> None:
    folder = home / "retention" / "executions" / record.body["plan_sha256"] / "package"
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else []
    hashes = set()
    for path in files:
        with path.open("rb") as source:
            hashes.add(hashlib.file_digest(source, "sha256").hexdigest())
        if path.suffix == ".json" and (value := _json(path)) is not None:
            hashes.add(digest(value))
    for one in record.returns:
        if files and one.get("package_sha256") not in hashes:
            verdict.fail("receipt", str(folder.relative_to(home)), "the package is not the one that was received")


def check_chain(verdict: Verdict, record: Record, home: Path) -> None:
    """The public log holds this certificate and every one before it, each naming the one before by its digest."""
    folder = home / "published" / "certificates"
    by_number: dict[int, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.json")):
        told = str(path.relative_to(home))
        value = _json(path)
        if lacking(value, {**SIGNED, "body": {"number": int, "previous": str}}):
            verdict.fail("chain", told, "this is no signed certificate")
            continue
        body = dict(value or {})["body"]
        if digest(body) != value["digest"] or not signed_by(value["signing_key"], value["signature"], digest(body)):
            verdict.fail("chain", told, "this certificate was changed: its digest or signature is another's")
        if isinstance(plan := body.get("plan"), dict) and plan.get("signing_key") != value["signing_key"]:
            verdict.fail("chain", told, "it was signed by another key than the one in its approved plan")
        if body["number"] in by_number:
            verdict.fail("chain", told, f"a second certificate with number {body['number']}")
        by_number[body["number"]] = body
    mine = record.body["number"]
    if mine not in by_number:
        verdict.fail("chain", record.path.name, f"the public log lacks certificate number {mine}")
    elif digest(by_number[mine]) != digest(record.body):
        verdict.fail("chain", record.path.name, f"the public log holds another certificate under number {mine}")
    by_number[mine] = record.body
    following, previous = 1, ""
    for number in sorted(by_number):
        if number != following:
            verdict.fail("chain", "published/certificates", f"certificate number {following} is missing")
        elif by_number[number]["previous"] != previous:
            verdict.fail("chain", "published/certificates", f"certificate {number} does not follow the one before")
        following, previous = number + 1, digest(by_number[number])


def check_trail(verdict: Verdict, record: Record, home: Path, keys: Path) -> None:
    """The audit trail: every line names the one before, the last is its head, one is the certificate's."""
    path, where = home / "audit" / "trail.jsonl", "audit/trail.jsonl"
    previous, number = "", 0
    digests: dict[int, str] = {}
    try:
        with path.open("rb") as trail:
            for line in trail:
                number += 1
                try:
                    entry = json.loads(line)
                except (ValueError, RecursionError):
                    entry = None
                if not isinstance(entry, dict) or entry.get("number") != number or entry.get("previous") != previous:
                    verdict.fail("audit", where, f"line {number} does not follow the one before")
                    return
                previous = hashlib.sha256(line.rstrip(b"\n")).hexdigest()
                digests[number] = previous
        head = json.loads((keys / "audit.head").read_bytes())
    except OSError as error:
        verdict.fail("audit", where, f"the trail or its head cannot be read: {error.strerror or type(error).__name__}")
        return
    except (ValueError, RecursionError):
        head = None
    digests[0] = ""
    if not isinstance(head, dict) or digests.get(head.get("number", -1)) != head.get("digest"):
        verdict.fail("audit", where, "it was cut or written anew: it has not the line that keys/audit.head names")
    elif head["number"] < number:
        # An account that may ask, and not write the key store, adds lines; the next that may keeps the head.
        verdict.could_not_try(f"{where}: the key store does not vouch yet for its lines after {head['number']}")
    told = record.body.get("audit_head")
    if isinstance(told, dict) and digests.get(told.get("number", 0)) != told.get("digest"):
        verdict.fail("audit", where, f"line {told.get('number')} is not the one that the certificate names")


def _json(path: Path) -> Any:
    """What a file holds; None when there is none; an empty text, which equals nothing, when it is no JSON."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return ""
