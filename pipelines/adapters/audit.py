"""The audit trail: one line for each thing that was done to data, keys and releases, chained by hashes.

    {"number": 7, "at": ..., "who": ..., "what": "receive", "reason": ..., <facts>, "previous": <digest of line 6>}

Lines are only ever added, and flushed before what they tell of happens: a copy that nobody recorded must not exist.
They hold names, digests, counts and the real time; never a value of the data, nor the text of a question. Each names
the digest of the line before it, and the key store keeps that of the last (`audit.head`), so that a line which was
changed, taken out or cut off at the end shows. The trail outlives the data: it is how one can see that it ended.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.adapters.files import append_line, lock, replace_with
from pipelines.settings import Settings, current_user

TAIL = 64 * 1024


def record(settings: Settings, what: str, reason: str | None = None, **facts: Any) -> None:
    """Add a line: when, who, what, why, and facts about it, which are values of JSON.

    Raises `OSError` when this account cannot write the trail.
    """
    folder = settings.audit.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with lock(folder / "lock"):
        before = _last(settings.audit)
        entry = {
            "number": json.loads(before)["number"] + 1 if before else 1,
            "at": dt.datetime.now(dt.UTC).isoformat(),
            "who": current_user(),
            "what": what,
            **({"reason": reason} if reason else {}),
            **facts,
            "previous": hashlib.sha256(before).hexdigest() if before else "",
        }
        line = json.dumps(entry)
        append_line(settings.audit, line)
        _keep_head(settings, {"number": entry["number"], "digest": hashlib.sha256(line.encode()).hexdigest()})


def entries(settings: Settings, what: str | None = None) -> Iterator[dict[str, Any]]:
    """Every entry, oldest first, or those of one kind."""
    if settings.audit.exists():
        with settings.audit.open() as trail:
            for line in trail:
                entry = json.loads(line)
                if what is None or entry["what"] == what:
                    yield entry


def head(settings: Settings) -> dict[str, Any]:
    """Number and digest of the last line; number 0 of an empty trail."""
    last = _last(settings.audit)
    if not last:
        return {"number": 0, "digest": ""}
    return {"number": json.loads(last)["number"], "digest": hashlib.sha256(last).hexdigest()}


def problems(settings: Settings) -> list[str]:
    """What is wrong with the trail, one line each; empty when it is whole."""
    found, previous, digests = [], "", [""]
    if settings.audit.exists():
        for number, line in enumerate(settings.audit.read_bytes().split(b"\n")[:-1], 1):
            try:
                entry = json.loads(line)
                kept = entry["number"] == number and entry["previous"] == previous
            except (ValueError, KeyError, TypeError):
                kept = False
            if not kept:
                found.append(
                    f"line {number} does not follow from the line before it: one of them was changed or taken out"
                )
            previous = hashlib.sha256(line).hexdigest()
            digests.append(previous)
        if not settings.audit.read_bytes().endswith(b"\n") and settings.audit.stat().st_size:
            found.append(f"line {len(digests)} is not whole: the last line was cut")
    path = _head(settings)
    known = json.loads(path.read_text()) if path.exists() else {"number": 0, "digest": ""}
    if known["number"] >= len(digests):
        found.append(
            f"the trail ends at line {len(digests) - 1}, and the key store knows line {known['number']}: it was cut"
        )
    elif known["digest"] != digests[known["number"]]:
        found.append(f"line {known['number']} is another than the key store knows: the trail was written anew")
    return found


def _head(settings: Settings) -> Path:
    return settings.keys / "audit.head"


def _keep_head(settings: Settings, value: dict[str, Any]) -> None:
    """Keep where the trail ends. Of an account that may not write the key store the next one that may says it."""
    if settings.keys.exists() and not os.access(settings.keys, os.W_OK):
        return
    replace_with(_head(settings), json.dumps(value).encode())


def _last(path: Path) -> bytes:
    """The last whole line, without its end; what a killed process left half-written is cut off first."""
    if not path.exists():
        return b""
    with path.open("r+b") as trail:
        size = trail.seek(0, os.SEEK_END)
        back = TAIL
        while True:
            trail.seek(max(size - back, 0))
            tail = trail.read()
            whole = tail.rfind(b"\n") + 1
            if whole < len(tail) and (whole or back >= size):
                trail.truncate(size - len(tail) + whole)
            lines = tail[:whole].rstrip(b"\n").rsplit(b"\n", 1)
            if len(lines) == 2 or back >= size:
                return lines[-1]
            back *= 4
