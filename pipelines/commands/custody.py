"""`datastore audit` and `datastore keys`: the trail of what was done, and the keys, without a secret of either."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import printing
from pipelines.commands import NOT_DONE, AsJson, Failed, here
from pipelines.domain.refusals import printable

audit_app = typer.Typer(no_args_is_help=True, help="The audit trail: append-only, chained by hashes.")
keys_app = typer.Typer(no_args_is_help=True, help="The key store: what there is, and a new key for an old one.")


@audit_app.command()
def verify(as_json: AsJson = False) -> None:
    """Whether every line of the trail follows from the one before it, and none is cut off."""
    from pipelines.adapters import audit

    store = here()
    found, head = audit.problems(store), audit.head(store)
    if as_json:
        printing.as_json({"passed": not found, "lines": head["number"], "digest": head["digest"], "problems": found})
    elif not found:
        printing.out.print(f"[green]whole[/]  {head['number']} lines, the last with digest {head['digest'][:12]}")
    if found:
        for line in found[1:] if not as_json else []:
            printing.err.print(f"  {line}")
        raise Failed(f"the audit trail is not whole: {found[0]}", NOT_DONE)


@audit_app.command()
def show(
    what: Annotated[str | None, typer.Option(help="Only entries of this kind: receive, key, certify ...")] = None,
    last: Annotated[int, typer.Option(min=1, help="So many, the newest.")] = 20,
    as_json: AsJson = False,
) -> None:
    """The newest entries of the trail."""
    from pipelines.adapters import audit

    entries = list(audit.entries(here(), what))[-last:]
    printing.as_json(entries) if as_json else printing.trail(entries)


@keys_app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Every key that there is or was: its state, fingerprint and what wraps it; never the key."""
    from pipelines.adapters.keys import KeyStore

    entries = list({entry["key"]: entry for entry in KeyStore(here()).register()}.values())
    printing.as_json(entries) if as_json else printing.keys(entries)


@keys_app.command()
def rotate(
    key: Annotated[str, typer.Argument(help="root, or the key of a feed such as feed.apc_spells.AGREEMENT.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept in the register and the audit trail.")],
) -> None:
    """Put a new key in the place of one that wraps others, and wrap those anew."""
    from pipelines.adapters.files import lock
    from pipelines.adapters.keys import KeyStore

    store = here()
    try:
        with lock(store.locks / "intake"):
            count = KeyStore(store).rotate(key, printable(reason, 300))
    except ValueError as why:
        raise Failed(str(why)) from None
    printing.out.print(f"[green]renewed[/]  {key}: {count} keys wrapped anew")
