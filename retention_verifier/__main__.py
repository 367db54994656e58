"""`python -m retention_verifier CERTIFICATE`: exit 0 passed, 5 failed with each reason on a line, 2 usage."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from retention_verifier.outcome import Store, verify
from retention_verifier.verdict import Verdict

PASSED, USAGE, FAILED = 0, 2, 5
# Lines of text; programs are told every reason.
MOST_REASONS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify, print the verdict, and say it as an exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    path: Path | None = given.body or given.certificate
    if path is None or (given.body and given.certificate):
        parser.error("name one certificate, or one body with --body")
    home = Path(given.home or os.environ.get("DATASTORE_HOME") or ".datastore").expanduser().absolute()
    keys = Path(given.keys or os.environ.get("DATASTORE_KEYS") or home / "keys").expanduser().absolute()
    governance = Path(given.governance or os.environ.get("DATASTORE_GOVERNANCE") or "governance").absolute()
    if not home.is_dir():
        parser.error(f"no store at {home}")
    if given.canaries:
        try:
            given.canaries.read_text()
        except (OSError, ValueError):
            parser.error(f"{given.canaries} is no text file that can be read")
    for folder in given.also:
        if not folder.exists():
            parser.error(f"nothing to look into at {folder}")
    store = Store(home, keys, governance, tuple(folder.absolute() for folder in given.also))
    verdict = verify(path, store, given.canaries, is_signed=given.body is None)
    print(json.dumps(verdict.as_dict(), indent=1) if given.json else "\n".join(_lines(verdict)))
    return PASSED if verdict.passed else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m retention_verifier",
        description="Says whether a dataset is gone, by what can be found and opened.",
    )
    parser.add_argument("certificate", nargs="?", type=Path, help="the certificate, as it lies in the public log")
    parser.add_argument("--body", type=Path, help="instead: the body of a certificate that is not signed yet")
    parser.add_argument("--home", help="the store (default DATASTORE_HOME, else .datastore)")
    parser.add_argument("--keys", help="the key store (default DATASTORE_KEYS, else keys in the store)")
    parser.add_argument("--governance", help="whom to trust (default DATASTORE_GOVERNANCE, else governance)")
    parser.add_argument("--also", nargs="+", action="extend", default=[], type=Path, help="more folders to look into")
    parser.add_argument("--canaries", type=Path, help="seeded values, one a line; told by their line, never printed")
    parser.add_argument("--json", action="store_true", help="the verdict for programs")
    return parser


def _lines(verdict: Verdict) -> list[str]:
    looked = verdict.looked_at
    if verdict.passed:
        counts = f"{looked['files']:,} files, {looked['bytes']:,} bytes looked at, {looked['keys']:,} keys tried"
        lines = [f"verified: {verdict.certificate_id}: passed ({counts})"]
    else:
        lines = [f"verified: {verdict.certificate_id}: FAILED", *(f"  {one}" for one in verdict.reasons[:MOST_REASONS])]
        if len(verdict.reasons) > MOST_REASONS:
            lines.append(f"  and {len(verdict.reasons) - MOST_REASONS:,} reasons more: --json tells all")
    return lines + [f"not tried: {what}" for what in verdict.not_tried]


if __name__ == "__main__":
    sys.exit(main())
