"""The audit trail: one line for each time that somebody took an original or asked the internal tier.

Lines are only ever added, and flushed before what they tell of happens: a copy that nobody recorded must not exist.
They hold names, digests and the real time; never a value of the data, nor the text of a question.
"""

from __future__ import annotations

import datetime as dt
import json
import os

from pipelines.adapters.files import lock
from pipelines.settings import Settings, current_user


def record(settings: Settings, what: str, **facts: str) -> None:
    """Add a line: when, who, what, and facts about it. Raises `OSError` when this account cannot write the trail."""
    entry = {"at": dt.datetime.now(dt.UTC).isoformat(), "who": current_user(), "what": what, **facts}
    with lock(settings.locks / "audit"):
        settings.audit.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with settings.audit.open("a") as trail:
            trail.write(json.dumps(entry) + "\n")
            trail.flush()
            os.fsync(trail.fileno())
