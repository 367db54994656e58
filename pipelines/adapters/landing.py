"""The landing store: every file that was ever received, sealed, with one manifest each.

    landing/<feed>/<sha256>/original        the sealed bytes; their key is in the key store
                            manifest.json   who, what, when; after reading also period, publication, layout;
                                            `redacted` when rows of persons who withdrew were taken out: which ends,
                                            how many rows, and digest and size of the bytes that are sealed now
                            checks.json     what the landing gate found
    accepted/<feed>/<sha256>.parquet        its rows, when the gate let it through
    quarantine/<feed>/<sha256>.json         why and where it was refused

Where a batch lies is its verdict: in `accepted/` or in `quarantine/`, never both; in neither, it still has to be
settled (the process that received it was stopped). A batch folder appears whole, in one rename.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from pipelines.adapters import audit
from pipelines.adapters.files import sync_folder, write_json
from pipelines.adapters.keys import Key, KeyStore
from pipelines.adapters.sealing import Unsealed, seal, unseal
from pipelines.domain.feeds import Feed
from pipelines.domain.refusals import Reason
from pipelines.settings import Settings, now

# Raised when what stands in checks.json changes: a store of before is then judged again.
CHECKS_FORMAT = 1

Verdict = Literal["accepted", "quarantined", "pending"]


@dataclass(frozen=True)
class Held:
    """A batch in the landing store."""

    feed: str
    sha256: str
    folder: Path
    settings: Settings

    @property
    def accepted_path(self) -> Path:
        """Where its rows lie once accepted."""
        return self.settings.accepted / self.feed / f"{self.sha256}.parquet"

    @property
    def quarantine_path(self) -> Path:
        """Where the reasons lie once quarantined."""
        return self.settings.quarantine / self.feed / f"{self.sha256}.json"

    @property
    def verdict(self) -> Verdict:
        """Accepted, quarantined, or pending when nobody has settled it yet."""
        if self.accepted_path.exists():
            return "accepted"
        return "quarantined" if self.quarantine_path.exists() else "pending"

    @property
    def manifest(self) -> dict[str, Any]:
        """What is recorded of it."""
        return dict(json.loads((self.folder / "manifest.json").read_text()))

    @property
    def sealed_as(self) -> str:
        """By which name its key is kept: its digest, and a number once it was sealed anew."""
        return str(self.manifest.get("redacted", {}).get("sealed_as", self.sha256))

    @property
    def reasons(self) -> list[str]:
        """Why it was quarantined, one line each; empty when it was not."""
        if not self.quarantine_path.exists():
            return []
        return [str(Reason(**reason)) for reason in json.loads(self.quarantine_path.read_text())["reasons"]]

    @property
    def checks(self) -> dict[str, Any]:
        """What the landing gate found, and under which rules; empty when it was not judged, or kept in another form."""
        path = self.folder / "checks.json"
        found = dict(json.loads(path.read_text())) if path.exists() else {}
        return found if found.get("format") == CHECKS_FORMAT else {}

    def record(self, **facts: Any) -> None:
        """Add what was learned by reading to the manifest."""
        write_json(self.folder / "manifest.json", {**self.manifest, **facts})

    def record_checks(self, checks: dict[str, Any]) -> None:
        """Keep what the gate found."""
        write_json(self.folder / "checks.json", {"format": CHECKS_FORMAT, **checks})

    def quarantine(self, reasons: Sequence[Reason]) -> None:
        """Settle the batch as quarantined."""
        write_json(
            self.quarantine_path,
            {
                "feed": self.feed,
                "sha256": self.sha256,
                "reasons": [reason.as_dict() for reason in reasons],
                "quarantined_at": now().isoformat(),
            },
        )


@dataclass(frozen=True)
class SealedSource:
    """The sealed bytes of one batch: from the start, or as a file."""

    landing: Landing
    held: Held

    def frames(self) -> Iterator[bytes]:
        """The bytes from the start, frame by frame."""
        return self.landing.original(self.held)

    def opened(self) -> Unsealed:
        """The bytes as a file that is read anywhere."""
        return self.landing.opened(self.held)


class Landing:
    """The sealed originals of one datastore."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keys = KeyStore(settings)

    def seal(
        self,
        feed: Feed,
        source: BinaryIO,
        *,
        file_name: str,
        origin: str,
        received_by: str,
        published_given: str | None,
        agreement: str | None = None,
    ) -> tuple[Held, bool]:
        """Seal a stream and keep it under an agreement (default: the feed's); returns the batch and whether it is new.

        The same bytes for the same feed are one batch, whatever they are called and however often they come.
        """
        incoming = self.settings.landing / ".incoming" / uuid.uuid4().hex
        incoming.mkdir(parents=True, mode=0o700)
        try:
            agreement = agreement or str(feed.agreement)
            in_use = {str(held.manifest["wrapping_key"]) for held in self.batches(feed.feed)}
            wrapping = self.keys.for_feed(feed.feed, agreement, in_use)
            with (incoming / "original").open("wb") as target:
                secret, sha256, size = seal(source, target)
                target.flush()
                os.fsync(target.fileno())
            held = Held(feed.feed, sha256, self.settings.landing / feed.feed / sha256, self.settings)
            if held.folder.exists():
                return held, False
            write_json(
                incoming / "manifest.json",
                {
                    "feed": feed.feed,
                    "sha256": sha256,
                    "size_bytes": size,
                    "file_name": file_name,
                    "origin": origin,
                    "received_at": now().isoformat(),
                    "received_by": received_by,
                    "published_given": published_given,
                    "agreement": agreement,
                    "wrapping_key": wrapping.name,
                },
            )
            self.keys.keep_batch(feed.feed, sha256, secret, wrapping)
            audit.record(self.settings, "receive", feed=feed.feed, agreement=agreement, sha256=sha256, size_bytes=size)
            held.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.rename(incoming, held.folder)
            sync_folder(held.folder.parent)
            return held, True
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def original(self, held: Held) -> Iterator[bytes]:
        """The bytes of a batch as they came, or what is left of them after a withdrawal."""
        with (held.folder / "original").open("rb") as source:
            yield from unseal(source, self._key(held))

    def opened(self, held: Held) -> Unsealed:
        """The bytes of a batch as a file that is read anywhere, without a copy of them."""
        return Unsealed((held.folder / "original").open("rb"), self._key(held))

    def _key(self, held: Held) -> Key:
        return self.keys.batch(held.feed, held.sealed_as, str(held.manifest["wrapping_key"]))

    def source(self, held: Held) -> SealedSource:
        """The bytes of a batch, to be read as often as needed."""
        return SealedSource(self, held)

    def find(self, digest: str) -> Held | None:
        """The batch with that digest, or with the one digest that begins so; in whichever feed."""
        found = {held.sha256: held for held in self.batches() if held.sha256.startswith(digest)}
        return next(iter(found.values())) if len(found) == 1 else None

    def batches(self, feed: str | None = None) -> list[Held]:
        """Every batch held, of one feed or of all, in order of feed and digest."""
        feeds = [feed] if feed else [path.name for path in self.settings.landing.glob("[a-z]*")]
        return [
            Held(name, folder.name, folder, self.settings)
            for name in sorted(feeds)
            for folder in sorted((self.settings.landing / name).glob("[0-9a-f]*"))
        ]

    def clear_unfinished(self) -> None:
        """Remove what a killed receiver left half-written; nothing of it was acknowledged to anybody."""
        shutil.rmtree(self.settings.landing / ".incoming", ignore_errors=True)
        for zone, pattern in (
            (self.settings.landing, "*/*/.*"),
            (self.settings.accepted, "*/.*"),
            (self.settings.quarantine, "*/.*"),
            (self.settings.operations, ".*"),
        ):
            for path in zone.glob(pattern):
                path.unlink(missing_ok=True)
