"""JSON into plain objects; refuses what two readers could understand in two ways."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from pipelines.domain.refusals import printable, refuse


def read_object(content: bytes) -> dict[str, Any]:
    """The one object that a JSON file holds. Raises `Refused` when it is cut, repeats a name or holds another thing."""
    try:
        found = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_without_repetition,
            parse_constant=_no_number,
        )
    except json.JSONDecodeError as error:
        raise refuse("not JSON: the file is damaged or cut short, ask for it again", row=error.lineno) from None
    except UnicodeDecodeError:
        raise refuse("not UTF-8 text: the file is damaged or cut short, ask for it again") from None
    except RecursionError:
        raise refuse("objects within objects without end: it is not this publication") from None
    if not isinstance(found, dict):
        raise refuse("the file holds no single JSON object: it is not this publication")
    return found


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise refuse(f"the name {printable(name)!r} stands twice in one object")
        found[name] = value
    return found


def _no_number(name: str) -> NoReturn:
    raise refuse(f"{name} stands where a number is due")
