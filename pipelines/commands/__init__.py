"""Groups of commands, one module each, and what all commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import settings

USAGE, SOME_QUARANTINED, REFUSED, NOT_DONE = 2, 3, 4, 5

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


class Failed(Exception):
    """A command that cannot do what was asked: one line and an exit code."""

    def __init__(self, line: str, code: int = USAGE) -> None:
        super().__init__(line)
        self.code = code


def here() -> settings.Settings:
    """The store that the environment names, ready to be used."""
    found = settings.load()
    settings.prepare(found)
    return found
