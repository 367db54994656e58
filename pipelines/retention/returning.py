"""Giving a dataset back: its originals sealed to the controller's own key, delivered, and the receipt waited for.

A package is a folder: `package.json`, which lists every file, and `<sha256>.age` for each original, sealed to the
controller's age recipient (age-encryption.org/v1). Its digest is that of `package.json`. The receipt is
`receipt.json`: the controller's signature over that digest, laid beside the package or handed over.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fsspec
import pyrage

from pipelines.adapters import audit, catalogue
from pipelines.adapters.files import destroy_folder, replace_with, sync_folder
from pipelines.adapters.landing import Held, Landing
from pipelines.domain.governance.agreements import ReturnTo
from pipelines.domain.retention import NotDone, canonical, digest, receipt_faults
from pipelines.retention.holdings import PIECE, sha256
from pipelines.settings import Settings

CONTENTS = "package.json"
RECEIPT = "receipt.json"


def deliver(settings: Settings, folder: Path, plan_sha256: str, agreement_id: str, held: list[Held]) -> dict[str, Any]:
    """Package the originals of an agreement and deliver them; returns package digest and where it lies.

    Doing it twice delivers the same package once more. Raises `NotDone` when it cannot be delivered.
    """
    to = _return_to(agreement_id)
    package = folder / "package" / agreement_id
    if not (package / CONTENTS).exists():
        destroy_folder(package)
        _pack(settings, package, plan_sha256, agreement_id, to, held)
    package_sha256 = digest(json.loads((package / CONTENTS).read_text()))
    place = f"{to.deliver_to.rstrip('/')}/{agreement_id}-{plan_sha256[:12]}"
    audit.record(settings, "deliver", agreement=agreement_id, package=package_sha256, to=to.deliver_to)
    try:
        system, path = fsspec.core.url_to_fs(place)
        system.makedirs(path, exist_ok=True)
        # The list of contents last: a package that has it is whole.
        for file in sorted(package.iterdir(), key=lambda one: one.name == CONTENTS):
            system.put_file(str(file), f"{path}/{file.name}")
            if system.size(f"{path}/{file.name}") != file.stat().st_size:
                raise OSError("a file arrived in another size")
    except Exception as error:  # whatever the transport raises; its text may hold a secret of the URL
        raise NotDone(
            f"the package cannot be delivered to {to.deliver_to} ({type(error).__name__}): see that it can be written"
        ) from None
    return {
        "agreement": agreement_id, "package_sha256": package_sha256, "recipient": to.recipient, "delivered_to": place,
        "files": len(list(package.glob("*.age"))),
    }  # fmt: skip


def receipt(delivered: dict[str, Any], given: Path | None) -> dict[str, Any]:
    """The controller's receipt of a delivered package. Raises `NotDone` when there is none yet, or a wrong one."""
    agreement_id = str(delivered["agreement"])
    found = _read(given, delivered)
    if found is None:
        raise NotDone(
            f"delivered to {delivered['delivered_to']}; nothing is destroyed before the controller's receipt of "
            f"package {delivered['package_sha256'][:12]}: lay it beside the package as {RECEIPT}, or say --receipt FILE"
        )
    faults = receipt_faults(found, agreement_id, str(delivered["package_sha256"]), _return_to(agreement_id).receipt_key)
    if faults:
        raise NotDone(f"{faults[0]}; nothing was destroyed")
    return found


def _pack(
    settings: Settings, package: Path, plan_sha256: str, agreement_id: str, to: ReturnTo, held: list[Held]
) -> None:
    package.mkdir(parents=True, mode=0o700)
    try:
        recipient = pyrage.x25519.Recipient.from_str(to.recipient)
    except pyrage.RecipientError:
        raise NotDone(f"agreement {agreement_id}: return_to.recipient is no age recipient (age1...)") from None
    landing = Landing(settings)
    contents = []
    for one in held:
        path = package / f"{one.sha256}.age"
        with landing.opened(one) as original, path.open("wb") as target:
            pyrage.encrypt_io(original, target, [recipient])
        told = {name: one.manifest[name] for name in ("feed", "file_name", "sha256", "size_bytes", "received_at")}
        if "redacted" in one.manifest:  # what is returned is what a withdrawal left of it
            redacted = one.manifest["redacted"]
            told["redacted"] = {name: redacted[name] for name in ("ends", "rows", "sha256", "size_bytes")}
        contents.append({**told, "file": path.name, "sealed_sha256": sha256(path), "sealed_bytes": path.stat().st_size})
    body = {"agreement": agreement_id, "plan_sha256": plan_sha256, "recipient": to.recipient, "files": contents}
    replace_with(package / CONTENTS, canonical(body))
    sync_folder(package)


def _read(given: Path | None, delivered: dict[str, Any]) -> dict[str, Any] | None:
    place = str(given) if given else f"{delivered['delivered_to']}/{RECEIPT}"
    try:
        with fsspec.open(place, "rb") as file:
            found = json.loads(file.read(PIECE))
    except FileNotFoundError:
        if given:
            raise NotDone(f"{given}: no such file") from None
        return None
    except (OSError, ValueError):
        raise NotDone(f"{place}: holds no receipt (JSON) that can be read; nothing was destroyed") from None
    return dict(found) if isinstance(found, dict) else {}


def _return_to(agreement_id: str) -> ReturnTo:
    to = catalogue.register().agreement(agreement_id).disposition.return_to
    if to is None:
        raise NotDone(f"agreement {agreement_id} does not say where to return its data (disposition.return_to)")
    return to
