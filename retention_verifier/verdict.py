"""What a verification says: reasons why not, what was looked at, what could not be tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CHECKS = {
    "certificate": "the certificate is whole, its own, signed, and of the plan that was approved",
    "approvals": "two trusted approvers other than who requested and executed signed this plan",
    "receipt": "what was returned was received, by the controller's signature",
    "chain": "the certificates follow each other without a gap",
    "audit": "the audit trail is whole, up to its head and the certificate's",
    "kept_key": "no destroyed key is left, under any name",
    "copied_file": "no file of the inventory is left, under any name",
    "backup": "no restored or forgotten copy of a zone is left",
    "old_release": "no release from before the end is left",
    "write_ahead_log": "no write-ahead log or spill is left",
    "re_ingested": "nothing of the dataset was received again",
    "opens": "what should be closed does not open, and what is open can be looked into",
    "canary": "no seeded canary is found",
    "digest_found": "no batch is named outside the records of its end",
    "unreadable": "everything could be looked into",
}


def printable(text: str) -> str:
    """Text on one line, control characters escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )


@dataclass(frozen=True)
class Reason:
    """One reason why the verdict is no: which check, where, what. Never a value."""

    check: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.check}  {self.where}: {self.what}"


@dataclass
class Verdict:
    """The reasons so far; passed when there are none."""

    certificate_id: str = ""
    reasons: list[Reason] = field(default_factory=list)
    looked_at: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("files", "bytes", "databases", "tables", "keys"), 0)
    )
    not_tried: list[str] = field(default_factory=list)
    # Replaces what may not be printed.
    mask: Callable[[str], str] = str

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons

    def fail(self, check: str, where: str, what: str) -> None:
        """Add a reason, once."""
        if check not in CHECKS:
            raise ValueError(f"no such check: {check}")
        reason = Reason(check, self._shown(where), self._shown(what))
        if reason not in self.reasons:
            self.reasons.append(reason)

    def could_not_try(self, what: str) -> None:
        """Say what could not be tried, once."""
        if self._shown(what) not in self.not_tried:
            self.not_tried.append(self._shown(what))

    def _shown(self, text: str) -> str:
        return printable(self.mask(text))

    def as_dict(self) -> dict[str, Any]:
        """The verdict for programs."""
        return {
            "certificate_id": self.certificate_id,
            "passed": self.passed,
            "reasons": [vars(reason) for reason in self.reasons],
            "looked_at": self.looked_at,
            "not_tried": self.not_tried,
        }
