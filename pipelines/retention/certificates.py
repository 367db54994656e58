"""Certificates: what ended, how, who asked, approved and did it, what was found afterwards; signed, and chained.

They lie in `published/certificates/`, where everybody can read them: one JSON and one printable page each, and a page
that lists them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2

from pipelines.adapters.files import replace_with
from pipelines.adapters.keys import KeyStore
from pipelines.domain.retention import canonical, digest, public_text, sign
from pipelines.settings import Settings

TEMPLATES = Path(__file__).parent / "templates"


def read_all(settings: Settings) -> list[dict[str, Any]]:
    """Every certificate, oldest first."""
    found = [json.loads(path.read_text()) for path in settings.certificates.glob("*.json")]
    return sorted(found, key=lambda one: int(one["body"]["number"]))


def next_link(settings: Settings) -> dict[str, Any]:
    """The number of the next certificate and the digest of the one before it."""
    before = read_all(settings)
    return {"number": len(before) + 1, "previous": before[-1]["digest"] if before else ""}


def publish(settings: Settings, body: dict[str, Any]) -> Path:
    """Sign a certificate and put it into the public log; returns its file. Doing it twice gives the same."""
    told = digest(body)
    key = KeyStore(settings).signing()
    signed = {"body": body, "digest": told, "signature": sign(key, told), "signing_key": public_text(key)}
    folder = settings.certificates
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    path = folder / f"{body['certificate_id']}.json"
    replace_with(path, json.dumps(json.loads(canonical(signed)), indent=1, sort_keys=True).encode(), mode=0o644)
    _page(path.with_suffix(".html"), "certificate.html.j2", certificate=signed, body=body)
    _page(folder / "index.html", "log.html.j2", certificates=read_all(settings))
    return path


def _page(path: Path, template: str, **values: Any) -> None:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    replace_with(path, environment.get_template(template).render(**values).encode(), mode=0o644)
