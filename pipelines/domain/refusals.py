"""What is said when a file cannot be read rightly: what, where and what to do. Never a value."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass

MOST_LINES = 40


@dataclass(frozen=True)
class Reason:
    """One reason to refuse a file, and its place in it (1-based row, spreadsheet column letter)."""

    what: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        place = [
            f"sheet {printable(self.sheet)}" if self.sheet else "",
            f"row {self.row}" if self.row else "",
            f"column {self.column}" if self.column else "",
        ]
        where = ", ".join(part for part in place if part)
        return f"{where}: {self.what}" if where else self.what

    def as_dict(self) -> dict[str, str | int | None]:
        """For the quarantine record."""
        return asdict(self)


class Refused(Exception):
    """A file that is not what its feed promises; carries every reason that was found."""

    def __init__(self, *reasons: Reason) -> None:
        self.reasons = reasons
        super().__init__("; ".join(str(reason) for reason in reasons[:MOST_LINES]))


def refuse(what: str, *, sheet: str | None = None, row: int | None = None, column: str | None = None) -> Refused:
    """A refusal with one reason."""
    return Refused(Reason(what, sheet, row, column))


def printable(text: str, limit: int = 120) -> str:
    """Text from outside as it may be printed: control and formatting characters escaped, cut at `limit`."""
    safe = "".join(
        char if unicodedata.category(char)[0] not in "CZ" or char == " " else char.encode("unicode_escape").decode()
        for char in text
    )
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
