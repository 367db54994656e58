"""Approvals: two people in office sign the hash of a plan with keys that the store never sees again."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipelines.adapters import audit, catalogue
from pipelines.adapters.files import write_json
from pipelines.domain.retention import NotDone, approvals_lacking, public_text, sign
from pipelines.retention.plans import Plan, keep
from pipelines.settings import Settings, today


def approve(settings: Settings, plan: Plan, approver: str, key_file: Path, accepts_losses: bool) -> dict[str, Any]:
    """Sign a plan and keep the signature; returns it. Raises `NotDone` when it would not count."""
    if plan.blocked:
        raise NotDone(plan.blocked[0])
    key = read_key(key_file)
    in_office = catalogue.register().approver(approver, today())
    if in_office is None:
        raise NotDone(f"{approver} is no approver in office: see governance/approvers.yaml")
    if in_office.public_key != public_text(key):
        raise NotDone(f"that is not the key of {approver}: governance/approvers.yaml has another")
    approval = {
        "approver": approver,
        "at": dt.datetime.now(dt.UTC).isoformat(),
        "plan": plan.sha256,
        "accepts_losses": accepts_losses,
        "signature": sign(key, plan.sha256),
    }
    faults = [line for line in approvals_lacking(plan.body, [approval], keys(settings), "") if approver in line]
    if faults:
        raise NotDone(faults[0])
    audit.record(settings, "approve", plan=plan.sha256, approver=approver, end=plan.body["end"]["id"])
    write_json(keep(settings, plan) / "approvals" / f"{approver}.json", approval)
    return approval


def given(settings: Settings, plan_sha256: str) -> list[dict[str, Any]]:
    """The approvals that lie with a plan, in order of the approvers' ids."""
    folder = settings.retention / "plans" / plan_sha256 / "approvals"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def keys(settings: Settings) -> dict[str, str]:
    """The public keys of the approvers in office today, by id."""
    return {one.id: one.public_key for one in catalogue.register().approvers if one.holds(today())}


def new_key(path: Path) -> str:
    """Make the private key of an approver, in a file that nobody else may read; returns the public key."""
    key = Ed25519PrivateKey.generate()
    written = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(written)
    except OSError as error:
        raise NotDone(f"{path} cannot be written: {(error.strerror or 'unknown reason').lower()}") from None
    return public_text(key)


def read_key(path: Path) -> Ed25519PrivateKey:
    """A private Ed25519 key in PEM, as `openssl genpkey -algorithm ed25519` writes it too. Raises `NotDone`."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise NotDone(f"{path} holds no private key in PEM that this account can read") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NotDone(f"{path} holds another kind of key than Ed25519")
    return key
