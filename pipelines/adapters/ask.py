"""Questions to the current release: read-only, one statement, an error in one line."""

from __future__ import annotations

from typing import Any

import duckdb

from pipelines.adapters import releases
from pipelines.settings import Settings


class NoAnswer(Exception):
    """The question cannot be answered; one line that says why."""


def ask(settings: Settings, sql: str, tier: str, key: str | None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows. Raises `NoAnswer` on bad SQL, a wrong key, or when nothing is published."""
    try:
        connection = releases.open_tier(releases.current(settings), tier, key)
    except releases.NoRelease as none:
        raise NoAnswer(str(none)) from None
    except duckdb.Error:
        raise NoAnswer("the internal tier does not open with that key") from None
    with connection:
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1:
                raise NoAnswer(f"{len(statements)} statements: ask one question at a time")
            answer = connection.execute(statements[0])
            columns = [column[0] for column in answer.description or []]
            return columns, answer.fetchall() if columns else []
        except duckdb.Error as error:
            raise NoAnswer(f"the query failed: {str(error).splitlines()[0]}") from None
