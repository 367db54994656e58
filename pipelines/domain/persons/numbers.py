"""The NHS number: ten digits of which the last checks the others (Modulus 11)."""

from __future__ import annotations

DIGITS = 10
ELEVEN = 11


def nhs_number(text: str) -> str | None:
    """The ten digits of an NHS number as somebody writes it, with spaces or hyphens; None when it is none."""
    digits = "".join(text.replace("-", "").split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    weighted = sum(int(digit) * (DIGITS - place) for place, digit in enumerate(digits))
    return digits if weighted % ELEVEN == 0 else None
