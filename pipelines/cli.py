"""The `datastore` command: thin; each command calls one thing and prints what came of it."""

from __future__ import annotations

import datetime as dt
import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipelines import settings
from pipelines.domain.refusals import MOST_LINES, printable

ALL_ACCEPTED, USAGE, SOME_QUARANTINED, REFUSED = 0, 2, 3, 4

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The COVID datastore: take files in, refresh, and ask the published release.",
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


class Failed(Exception):
    """A command that cannot do what was asked: one line and an exit code."""

    def __init__(self, line: str, code: int = USAGE) -> None:
        super().__init__(line)
        self.code = code


def main() -> None:
    """Run the command line."""
    guarded(lambda: app(standalone_mode=True))


def guarded(command: Callable[[], None]) -> None:
    """Run a command; whatever goes wrong is one line on standard error, never a traceback."""
    try:
        command()
    except Failed as failure:
        err.print(f"[red]datastore:[/] {escape(str(failure))}")
        sys.exit(failure.code)
    except KeyboardInterrupt:
        err.print("datastore: stopped; what was sealed is kept, run the command again to go on")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:  # the last resort: an error of ours must not print what it holds
        err.print(f"[red]datastore:[/] {_unexpected(error)}")
        sys.exit(1)


def _unexpected(error: Exception) -> str:
    from pipelines.adapters.keys import KeyMissing
    from pipelines.adapters.sealing import SealBroken
    from pipelines.domain.governance import Ungoverned

    if isinstance(error, (KeyMissing, SealBroken, Ungoverned)):
        return escape(str(error))
    if isinstance(error, OSError) and error.strerror:
        return escape(f"{error.strerror}: {error.filename or ''}: see that the folder can be written and has space")
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "pipelines" in frame.filename] or frames
    return f"unexpected {type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}; please report it"


def _here() -> settings.Settings:
    here = settings.load()
    settings.prepare(here)
    return here


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=1, default=_plain) + "\n")


def _print_table(table: Table) -> None:
    """The table as wide as it is: columns are never folded or cut, a terminal wraps the line."""
    Console(highlight=False, width=10_000).print(table)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime, dt.time)) else str(value)


@app.command()
def receive(
    feed: Annotated[str, typer.Argument(help="Name of the feed, e.g. ae_monthly.")],
    paths: Annotated[list[str], typer.Argument(metavar="PATH_OR_URL...", help="Files, folders, patterns or URLs.")],
    published: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Publication date, where the file does not state it (ISO)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Seal, read and judge files; say which were accepted and why others were quarantined."""
    from pipelines import intake
    from pipelines.adapters import catalogue

    try:
        catalogue.feed(feed)
    except catalogue.UnknownFeed as unknown:
        raise Failed(str(unknown)) from None
    day = _published(published)
    here = _here()
    arrivals = []
    for arrival in _with_progress(
        f"receiving {feed}", intake.receive(here, catalogue.feeds()[feed], paths, day), quiet=as_json
    ):
        arrivals.append(arrival)
        if not as_json:
            print_arrival(arrival)
    if as_json:
        _print_json([asdict(arrival) for arrival in arrivals])
    verdicts = {arrival.verdict for arrival in arrivals}
    if "quarantined" in verdicts:
        raise typer.Exit(SOME_QUARANTINED)
    if "no input" in verdicts:
        raise typer.Exit(USAGE)


def _published(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise Failed(f"--published {printable(text)}: not a date such as 2021-03-25") from None
    if day > dt.datetime.now(dt.UTC).date():
        raise Failed(f"--published {day}: lies in the future")
    return day


def print_arrival(arrival: Any) -> None:
    """One line for a file, and the reasons below it when it was not accepted."""
    colour = {"accepted": "green", "quarantined": "yellow"}.get(arrival.verdict, "red")
    facts = []
    if arrival.already_held:
        facts.append("already held")
    if arrival.verdict == "accepted":
        facts.append(f"{arrival.rows:,} rows")
        if arrival.period_start:
            same = arrival.period_start == arrival.period_end
            facts.append(arrival.period_start if same else f"{arrival.period_start} to {arrival.period_end}")
    if arrival.sha256:
        facts.append(f"sha256 {arrival.sha256[:12]}")
    detail = f" ({', '.join(facts)})" if facts else ""
    out.print(f"[{colour}]{arrival.verdict}[/]  {escape(arrival.file)}{detail}")
    lines = arrival.reasons if arrival.verdict != "accepted" else []
    for line in lines[: MOST_LINES - 1]:
        out.print(f"  {escape(line)}")
    if len(lines) >= MOST_LINES:
        out.print(f"  and {len(lines) - MOST_LINES + 1} more")
    if arrival.verdict == "accepted":
        for line in arrival.warnings[: MOST_LINES - 1]:
            out.print(f"  [yellow]warning[/] {escape(line)}")


def _with_progress(what: str, items: Any, quiet: bool) -> Any:
    """The items, with a spinner on a terminal that says how far we are."""
    if quiet or not err.is_terminal:
        yield from items
        return
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err, transient=True
    ) as bar:
        task = bar.add_task(what, total=None)
        for count, item in enumerate(items, start=1):
            bar.update(task, description=f"{what}: {count} files")
            yield item


@app.command()
def refresh(as_json: AsJson = False) -> None:
    """Take everything accepted through gates and dbt to a new release."""
    here = _here()
    result = run_refresh(here, quiet=as_json)
    if as_json:
        _print_json(asdict(result))
    elif result.published:
        print_release(here, result)
    else:
        print_refusal(result)
    if not result.published:
        raise typer.Exit(REFUSED)


def run_refresh(here: settings.Settings, quiet: bool) -> Any:
    """The refresh with its steps shown on a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as bar:
        task = bar.add_task("refresh: loading the pipeline", total=None)
        from pipelines.refresh import refresh as run

        return run(here, lambda step: bar.update(task, description=f"refresh: {step}"))


def print_refusal(result: Any) -> None:
    """Why nothing was published."""
    err.print("[red]refused[/]: nothing was published; the release before stays served")
    for reason in result.reasons[:MOST_LINES]:
        err.print(f"  {escape(reason)}")


def print_release(here: settings.Settings, result: Any) -> None:
    """What was published and where."""
    from pipelines.adapters import releases

    folder = releases.current(here)
    out.print(f"[green]published[/]  release {result.release['release_id']} in {result.seconds:.0f} s")
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("mart")
    table.add_column("rows", justify="right")
    for mart, count in result.release["rows"].items():
        table.add_row(f"marts.{mart}", f"{count:,}")
    _print_table(table)
    out.print(f"public    {folder / 'public' / 'datastore.duckdb'}")
    out.print(f"internal  {folder / 'internal' / 'datastore.duckdb'} (encrypted)")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Feeds and their freshness, the release, what waits in quarantine, failed checks."""
    from pipelines import status as state

    report = state.report(_here())
    if as_json:
        _print_json(report)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name, justify in (
        ("feed", "left"),
        ("accepted", "right"),
        ("quarantined", "right"),
        ("last period", "left"),
        ("received", "left"),
        ("fresh", "left"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for feed in report["feeds"]:
        table.add_row(
            feed["feed"],
            str(feed["accepted"]),
            str(feed["quarantined"]),
            feed["last_period_end"] or "-",
            (feed["last_received_at"] or "-")[:16],
            "[green]yes[/]" if feed["is_fresh"] else "[yellow]no[/]",
        )
    _print_table(table)
    release = report["release"]
    if release is None:
        out.print("release   none yet: run `datastore refresh`")
    else:
        stale = f" [yellow]stale[/]: {escape(release['reason'] or 'no refresh since')}" if release["is_stale"] else ""
        out.print(f"release   {release['release_id']}, published {release['published_at'][:16]}{stale}")
    for waiting in report["quarantine"][:MOST_LINES]:
        name = f"{waiting['feed']}: {escape(waiting['file'])} (sha256 {waiting['sha256'][:12]})"
        out.print(f"[yellow]quarantined[/]  {name}: {escape(waiting['reason'])}")
    failed = [check for check in report["checks"] if not check["passed"]]
    for check in failed[:MOST_LINES]:
        out.print(
            f"[yellow]{check['severity']}[/]  {check['check']}: {escape(check['file'])}: {escape(check['reason'])}"
        )
    out.print(f"checks    {len(report['checks']) - len(failed)} of {len(report['checks'])} passed")


@app.command()
def original(
    sha256: Annotated[str, typer.Argument(help="Digest of the file, as receive and status print it.")],
    output: Annotated[Path, typer.Option(help="Where to write the bytes.")],
) -> None:
    """The bytes of a received file, as they came; recorded in the audit trail."""
    from pipelines import originals

    try:
        size = originals.write(_here(), sha256, output)
    except originals.Unknown as unknown:
        raise Failed(str(unknown)) from None
    out.print(f"{size:,} bytes written to {output}")


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One read-only statement; marts are in schema marts.")],
    tier: Annotated[str, typer.Option(help="public or internal; internal asks for its key.")] = "public",
    as_json: AsJson = False,
) -> None:
    """Ask the current release."""
    from pipelines.adapters import ask

    if tier not in ("public", "internal"):
        raise Failed(f"--tier {printable(tier)}: say public or internal")
    key = None
    if tier == "internal":
        key = (
            typer.prompt("Key of the internal tier", hide_input=True, err=True)
            if sys.stdin.isatty()
            else sys.stdin.readline().strip()
        )
    try:
        columns, rows = ask.ask(_here(), sql, tier, key)
    except ask.NoAnswer as no_answer:
        raise Failed(str(no_answer)) from None
    if as_json:
        _print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        numeric = all(isinstance(row[columns.index(column)], (int, float, type(None))) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else escape(_shown(value)) for value in row))
    _print_table(table)


def _shown(value: Any) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else printable(str(value), 500)


@app.command()
def synthesise(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write into.")],
) -> None:
    """Write the synthetic England: fictional organisations in the publications' real layouts, and the truth."""
    from data.synthetic import write

    files = write(directory)
    out.print(f"{len(files)} files of the synthetic England written to {directory}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dev(context: typer.Context) -> None:
    """Open the Dagster UI on this store's state; further arguments go to `dagster dev`."""
    from pipelines.refresh import start_ui

    start_ui(_here(), context.args)


@app.command("new-feed")
def new_feed(
    feed: Annotated[str, typer.Argument(help="<subject>_<collection>, e.g. discharge_sitrep.")],
    agreement: Annotated[
        str, typer.Option(help="The agreement it is held under: an id in governance/agreements.yaml.")
    ],
) -> None:
    """Write the folder of a new feed, with every file that the contract tests ask for."""
    from pipelines.adapters import scaffold

    try:
        written = scaffold.new_feed(feed, agreement)
    except scaffold.Cannot as reason:
        raise Failed(str(reason)) from None
    for path in written:
        out.print(f"wrote  {path}")


@app.command()
def docs() -> None:
    """Write docs/generated from the declarations."""
    from pipelines.adapters import generated_docs

    for path in generated_docs.write():
        out.print(f"wrote  {path}")


if __name__ == "__main__":
    main()
