"""Giving back what was received: the sealed bytes, or what a withdrawal left of them, and a line in the audit trail."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

from pipelines.adapters import audit
from pipelines.adapters.landing import Landing
from pipelines.domain.refusals import printable
from pipelines.settings import Settings


class Unknown(Exception):
    """No batch has that digest, or the output cannot be written; one line that says which."""


def write(settings: Settings, sha256: str, output: Path) -> tuple[int, bool]:
    """Write the original of a batch to `output`; returns its size, and whether rows were taken out of it.

    Raises `Unknown`, `KeyMissing`, `SealBroken`.
    """
    held = Landing(settings).find(sha256.lower()) if re.fullmatch(r"[0-9a-fA-F]{12,64}", sha256) else None
    if held is None:
        raise Unknown(f"no received file has sha256 {printable(sha256)}: `datastore status --json` lists what is held")
    # The trail first: a copy that nobody recorded must not exist.
    audit.record(
        settings,
        "original",
        feed=held.feed,
        sha256=held.sha256,
        output=printable(str(output.absolute()), 500),
    )
    temporary = output.with_name(f".{output.name}.{uuid.uuid4().hex}")
    size = 0
    try:
        with temporary.open("xb") as file:
            for part in Landing(settings).original(held):
                size += file.write(part)
        os.replace(temporary, output)
    except OSError as error:
        raise Unknown(f"{output} cannot be written: {(error.strerror or 'unknown reason').lower()}") from None
    finally:
        temporary.unlink(missing_ok=True)
    return size, "redacted" in held.manifest
