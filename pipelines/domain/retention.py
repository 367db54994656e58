"""The end of a dataset: what a plan binds, who may approve it, what a receipt must say. Rules alone, no files.

What is signed is the SHA-256 of a document's canonical JSON, as hexadecimal text, so that anybody can check it with
standard tools. Signatures are Ed25519 (RFC 8032), keys and signatures base64.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

APPROVERS_NEEDED = 2


class NotDone(Exception):
    """What was asked is refused, and nothing has changed; one line that says why."""


def canonical(value: Any) -> bytes:
    """A document's one form: keys in order, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def digest(value: Any) -> str:
    """SHA-256 of a document's canonical form, as hexadecimal text."""
    return hashlib.sha256(canonical(value)).hexdigest()


def sign(key: Ed25519PrivateKey, text: str) -> str:
    """The signature over a text (a digest), as base64."""
    return base64.b64encode(key.sign(text.encode())).decode()


def is_signed(public_key: str, text: str, signature: str) -> bool:
    """Whether the signature over the text is of that key; False too for what is no key or no signature."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def public_text(key: Ed25519PrivateKey) -> str:
    """The public half of a key, as base64 of its 32 bytes."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def dataset_id(feed: str, agreement: str, first: dt.date | None, last: dt.date | None) -> str:
    """A dataset in text: `feed/agreement`, with its period when it is not the whole."""
    period = f"/{first or ''}..{last or ''}" if first or last else ""
    return f"{feed}/{agreement}{period}"


def place_in_period(manifest: Mapping[str, Any], first: dt.date | None, last: dt.date | None) -> str:
    """Where a batch lies to a period (both ends inclusive, None is open): `within`, `outside` or `across` its border.

    A batch of which no period is known, since it was never read, counts by its day of receipt.
    """
    received = dt.datetime.fromisoformat(manifest["received_at"]).date()
    start = dt.date.fromisoformat(manifest["period_start"]) if manifest.get("period_start") else received
    end = dt.date.fromisoformat(manifest["period_end"]) if manifest.get("period_end") else received
    if (last and start > last) or (first and end < first):
        return "outside"
    return "within" if (not first or start >= first) and (not last or end <= last) else "across"


def approvals_lacking(
    plan: Mapping[str, Any], approvals: Sequence[Mapping[str, Any]], public_keys: Mapping[str, str], executed_by: str
) -> list[str]:
    """Why a plan may not be executed yet, one line each; empty when two different approvers signed this very plan.

    `public_keys` are those of the approvers in office, by id. Who asked for the end or executes it is no approver.
    """
    told = digest(plan)
    apart = {str(plan["end"]["requested_by"]), executed_by}
    good, found = set(), []
    for approval in approvals:
        who = str(approval["approver"])
        if who not in public_keys:
            found.append(f"{who} is no approver in office (governance/approvers.yaml): the approval does not count")
        elif not is_signed(public_keys[who], told, str(approval["signature"])):
            found.append(f"the approval of {who} is of another plan or not signed by {who}'s key: approve this plan")
        elif who in apart:
            found.append(f"{who} requested the end or executes it: somebody else has to approve")
        elif plan["losses"] and not approval["accepts_losses"]:
            found.append(f"{who} did not accept what other marts lose (approve --accept-losses)")
        else:
            good.add(who)
    if len(good) >= APPROVERS_NEEDED:
        return []
    return [f"{len(good)} of {APPROVERS_NEEDED} approvals of plan {told[:12]}", *found]


def receipt_faults(receipt: Mapping[str, Any], agreement: str, package_sha256: str, public_key: str) -> list[str]:
    """What is wrong with a controller's receipt of a package, one line each; empty when it is the one waited for."""
    said = {name: receipt.get(name) for name in ("agreement", "package_sha256", "received_at", "received_by")}
    found = []
    if not all(isinstance(value, str) and value for value in said.values()):
        return ["the receipt lacks agreement, package_sha256, received_at or received_by"]
    if said["agreement"] != agreement:
        found.append(f"the receipt is for agreement {str(said['agreement'])[:60]}, not {agreement}")
    if said["package_sha256"] != package_sha256:
        found.append(f"the receipt is for another package than {package_sha256[:12]}")
    if not is_signed(public_key, digest(said), str(receipt.get("signature", ""))):
        found.append(f"the receipt is not signed by the controller's key (receipt_key of {agreement})")
    return found
