"""`datastore retention`: plan, approve, execute and verify the end of datasets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import printing, settings
from pipelines.commands import NOT_DONE, AsJson, Failed, here
from pipelines.domain.refusals import printable

app = typer.Typer(no_args_is_help=True, help="The end of datasets: destroy or return them, provably.")

PlanHash = Annotated[str, typer.Argument(metavar="PLAN", help="Hash of the plan, or its first eight digits or more.")]


@app.command()
def plan(
    agreement: Annotated[str | None, typer.Option(metavar="ID", help="Only what is held under this agreement.")] = None,
    as_json: AsJson = False,
) -> None:
    """What is held, where and under which keys; and of ends that have come, what will go, what stays and why."""
    from pipelines.retention import overview, plans

    store = here()
    told = overview.holdings_now(store, agreement)
    pending = [one for one in plans.pending(store) if agreement is None or agreement in one.agreements]
    for one in pending:
        plans.keep(store, one)
    report = {**told, "plans": [overview.as_report(store, one) for one in pending]}
    printing.as_json(report) if as_json else printing.retention_plan(report)


@app.command()
def withdraw(
    reference: Annotated[str | None, typer.Option(metavar="TEXT", help="Where the request stands: a letter.")] = None,
    authority: Annotated[str, typer.Option(metavar="TEXT", help="On whose word.")] = "the person concerned",
    requested_by: Annotated[str | None, typer.Option(metavar="ID", help="Who asks here; default you.")] = None,
    drop: Annotated[str | None, typer.Option(metavar="END", help="Forget a request that waits, by its id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take one person out of everything that is held; asks for the NHS number, and makes a plan like any other."""
    from pipelines.retention import overview, withdrawal

    store = here()
    with refusals():
        if drop is not None:
            withdrawal.drop(store, drop)
            printing.out.print(f"forgotten  {printable(drop)}: nothing was taken out")
            return
        plan = withdrawal.ask(
            store, _number(), printable(authority, 300), printable(reference, 300) if reference else None,
            printable(requested_by or settings.current_user(), 100),
        )  # fmt: skip
        report = overview.as_report(store, plan)
    printing.as_json(report) if as_json else printing.plan_of_end(report)


def _number() -> str:
    """The NHS number: typed without being shown, or one line of standard input; never an argument."""
    if sys.stdin.isatty():
        return str(typer.prompt("NHS number", hide_input=True, err=True))
    return sys.stdin.readline()


@app.command()
def approve(
    plan: PlanHash,
    approver: Annotated[str, typer.Option("--as", metavar="APPROVER", help="Your id in governance/approvers.yaml.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="Your private key (PEM, Ed25519).")],
    accept_losses: Annotated[bool, typer.Option(help="You accept what other marts lose; the plan says what.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign the hash of a plan. Two approvers have to, neither the one who asked for it nor the one who executes it."""
    from pipelines.retention import approvals, plans

    store = here()
    with refusals():
        found = plans.find(store, plan)
        losses = found.body["losses"]
        if losses and not accept_losses:
            printing.losses(losses)
            if sys.stdin.isatty():
                accept_losses = typer.confirm("Other marts lose what is listed above. Do you accept that?", err=True)
        approval = approvals.approve(store, found, approver, key, accept_losses)
    count = len(approvals.given(store, found.sha256))
    if as_json:
        printing.as_json({**approval, "approvals": count})
    else:
        printing.out.print(f"[green]approved[/]  plan {found.sha256[:12]} by {approver} ({count} of 2)")


@app.command()
def execute(
    plan: PlanHash,
    receipt: Annotated[Path | None, typer.Option(metavar="FILE", help="The controller's receipt of a return.")] = None,
    as_json: AsJson = False,
) -> None:
    """Do what an approved plan says, or go on with it after a crash; ends with a certificate."""
    from pipelines.retention.execution import execute as run

    store = here()
    with refusals(), printing.steps() as bar:
        task = bar.add_task("retention: looking at the plan", total=None)
        done = run(store, plan, receipt, on_step=lambda step: bar.update(task, description=f"retention: {step}"))
    printing.as_json(done) if as_json else printing.executed(done)
    if done["state"] == "certified" and not done["verification"]["passed"]:
        raise typer.Exit(NOT_DONE)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def verify(
    context: typer.Context,
    certificate: Annotated[str, typer.Argument(help="The certificate's file, or its id in the public log.")],
) -> None:
    """Check a certificate and its outcome with the verifier, a program of its own; further options go to it."""
    store = settings.load()
    named = store.certificates / f"{certificate.removesuffix('.json')}.json"
    path = Path(certificate) if Path(certificate).exists() or not named.exists() else named
    places = ["--home", str(store.home), "--keys", str(store.keys), "--governance", str(settings.governance())]
    done = subprocess.run(
        [sys.executable, "-m", "retention_verifier", str(path), *places, *context.args],
        cwd=settings.PROJECT_ROOT,
        check=False,
    )
    raise typer.Exit(done.returncode)


@app.command("new-approver")
def new_approver(
    approver: Annotated[str, typer.Argument(help="The id under which you approve.")],
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where your private key goes; keep it to yourself.")],
) -> None:
    """Make an approver's key; prints the row that the governance officer adds to governance/approvers.yaml."""
    from pipelines.retention import approvals

    with refusals():
        public = approvals.new_key(output)
    day = settings.today()
    printing.out.print(f"private key written to {output}; the governance officer adds to governance/approvers.yaml:")
    printing.out.print(
        f"  - {{id: {printable(approver)}, name: YOUR NAME, role: YOUR ROLE, public_key: {public}, from: {day}}}",
        soft_wrap=True,
    )


class refusals:
    """What is refused ends the command with one line and exit code 5."""

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """Turn a refusal into a failed command."""
        from pipelines.domain.retention import NotDone

        if isinstance(error, NotDone):
            raise Failed(str(error), NOT_DONE) from None
