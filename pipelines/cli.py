"""The `datastore` command: thin; each command calls one thing and prints what came of it."""

from __future__ import annotations

import datetime as dt
import gc
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import printing, settings
from pipelines.commands import REFUSED, SOME_QUARANTINED, USAGE, AsJson, Failed, custody, retention
from pipelines.commands import here as _here
from pipelines.domain.refusals import printable

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The COVID datastore: take files in, refresh, and ask the published release.",
)
app.add_typer(retention.app, name="retention")
app.add_typer(custody.audit_app, name="audit")
app.add_typer(custody.keys_app, name="keys")


# New objects between two looks for cycles, and young looks before an older generation is gone through. At Python's own
# 700 a refresh spends a tenth of its time on that, since what dbt and Dagster make mostly stays.
COLLECTED_AFTER = (50_000, 20, 20)


def _day(told: str) -> Any:
    return typer.Option(formats=["%Y-%m-%d"], help=told)


def main() -> None:
    """Run the command line."""
    guarded(lambda: app(standalone_mode=True))


def guarded(command: Callable[[], None]) -> None:
    """Run a command; whatever goes wrong is one line on standard error, never a traceback."""
    gc.set_threshold(*COLLECTED_AFTER)
    try:
        command()
    except Failed as failure:
        printing.error(str(failure))
        sys.exit(failure.code)
    except settings.Unusable as bad:
        printing.error(str(bad))
        sys.exit(USAGE)
    except KeyboardInterrupt:
        printing.err.print("datastore: stopped; what was sealed is kept, run the command again to go on")
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:  # the last resort: an error of ours must not print what it holds
        printing.error(_unexpected(error))
        sys.exit(1)


def _unexpected(error: Exception) -> str:
    from pipelines.adapters.keys import KeyMissing
    from pipelines.adapters.sealing import SealBroken
    from pipelines.adapters.unfinished import Unfinished
    from pipelines.domain.governance import Ungoverned

    if isinstance(error, (KeyMissing, SealBroken, Ungoverned, Unfinished)):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename or ''}: see that the folder can be written and has space"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "pipelines" in frame.filename] or frames
    return f"unexpected {type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}; please report it"


@app.command()
def receive(
    feed: Annotated[str, typer.Argument(help="Name of the feed, e.g. ae_monthly.")],
    paths: Annotated[list[str], typer.Argument(metavar="PATH_OR_URL...", help="Files, folders, patterns or URLs.")],
    published: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Publication date, where the file does not state it (ISO)."),
    ] = None,
    agreement: Annotated[
        str | None, typer.Option(metavar="ID", help="The agreement they are held under, when not the feed's own.")
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
    if agreement and catalogue.register().agreement(agreement) is None:
        raise Failed(f"--agreement {printable(agreement)}: governance/agreements.yaml has none of that id")
    day = _published(published)
    here = _here()
    arrivals = []
    taken = intake.receive(here, catalogue.feeds()[feed], paths, day, agreement=agreement)
    for arrival in printing.counted(f"receiving {feed}", taken):
        arrivals.append(arrival)
        if not as_json:
            printing.arrival(arrival)
    if as_json:
        printing.as_json([asdict(arrival) for arrival in arrivals])
    verdicts = {arrival.verdict for arrival in arrivals}
    if "quarantined" in verdicts:
        raise typer.Exit(SOME_QUARANTINED)
    if "no input" in verdicts:
        raise typer.Exit(USAGE)


@app.command()
def governance(
    on: Annotated[dt.datetime | None, _day("What governs on that day (default: today).")] = None,
    known_on: Annotated[dt.datetime | None, _day("As it was known on that day (default: today).")] = None,
    release: Annotated[str | None, typer.Option(metavar="ID", help="What governed that release, kept or not.")] = None,
    as_json: AsJson = False,
) -> None:
    """What governs each dataset: agreement, legal basis and its end, opt-outs, disposition."""
    from pipelines.adapters import governing

    here = _here()
    if release is not None:
        if on or known_on:
            raise Failed("--on and --known-on do not go with --release: a release is governed as of its day")
        try:
            rows = governing.of_past_release(here, release)
        except governing.NoSuchRelease as unknown:
            raise Failed(str(unknown)) from None
    else:
        day = on.date() if on else settings.today()
        rows = governing.on_day(here, day, known_on.date() if known_on else settings.today())
    printing.as_json(rows) if as_json else printing.governance(rows)


def _published(text: str | None) -> dt.date | None:
    if text is None:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise Failed(f"--published {printable(text)}: not a date such as 2021-03-25") from None
    if day > settings.today():
        raise Failed(f"--published {day}: lies in the future")
    return day


@app.command()
def refresh(as_json: AsJson = False) -> None:
    """Take everything accepted through gates and dbt to a new release."""
    here = _here()
    result = run_refresh(here)
    if as_json:
        printing.as_json(asdict(result))
    elif result.published:
        printing.release(here, result)
    else:
        printing.refusal(result)
    if not result.published:
        raise typer.Exit(REFUSED)


def run_refresh(here: settings.Settings) -> Any:
    """The refresh with its steps shown on a terminal."""
    with printing.steps() as bar:
        task = bar.add_task("refresh: loading the pipeline", total=None)
        from pipelines.refresh import refresh as run

        return run(here, lambda step: bar.update(task, description=f"refresh: {step}"))


@app.command()
def status(as_json: AsJson = False) -> None:
    """Feeds and their freshness, the release, what waits in quarantine, failed checks."""
    from pipelines import status as state

    report = state.report(_here())
    printing.as_json(report) if as_json else printing.status(report)


@app.command()
def original(
    sha256: Annotated[str, typer.Argument(help="Digest of the file, as receive and status print it.")],
    output: Annotated[Path, typer.Option(help="Where to write the bytes.")],
) -> None:
    """The bytes of a received file, as they came but for withdrawn rows; recorded in the audit trail."""
    from pipelines import originals

    try:
        size, is_redacted = originals.write(_here(), sha256, output)
    except originals.Unknown as unknown:
        raise Failed(str(unknown)) from None
    printing.out.print(f"{size:,} bytes written to {output}")
    if is_redacted:
        printing.out.print("redacted: the rows of persons who withdrew are not in it any more")


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One read-only statement; marts are in schema marts.")],
    tier: Annotated[
        str, typer.Option(help="public or internal; internal asks those for its key who cannot read the key store.")
    ] = "public",
    as_json: AsJson = False,
) -> None:
    """Ask the current release."""
    from pipelines.adapters import ask

    if tier not in ("public", "internal"):
        raise Failed(f"--tier {printable(tier)}: say public or internal")
    here = _here()
    key = (ask.own_key(here) or _asked_for_key()) if tier == "internal" else None
    try:
        with ask.ask(here, sql, tier, key) as (columns, batches):
            printing.rows_as_json(columns, batches) if as_json else printing.answer(columns, batches)
    except ask.NoAnswer as no_answer:
        raise Failed(str(no_answer)) from None


def _asked_for_key() -> str:
    """The key of the internal tier from whoever runs the command and cannot read the key store."""
    if sys.stdin.isatty():
        return str(typer.prompt("Key of the internal tier", hide_input=True, err=True))
    return sys.stdin.readline().strip()


@app.command()
def explain(
    mart: Annotated[str, typer.Argument(help="A mart with figures, e.g. occupancy_daily.")],
    key: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help="Columns that name one row, e.g. org_code=RJ1.")
    ] = None,
    view: Annotated[str, typer.Option(help="Organisations as_reported, as_at_date or as_current.")] = "as_reported",
    as_json: AsJson = False,
) -> None:
    """From a published cell back to organisations, files, cells, checks, definitions and legal basis."""
    from pipelines import explain as explaining

    columns = dict(_pair(text) for text in key or [])
    try:
        told = explaining.Explainer(_here()).explain(mart, columns, view)
    except explaining.NoSuchCell as reason:
        raise Failed(str(reason)) from None
    printing.as_json(told) if as_json else printing.explanation(told)


def _pair(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals:
        raise Failed(f"{printable(text)}: say KEY=VALUE, a column of the mart and its value")
    return column, value


@app.command()
def synthesise(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write into.")],
    people: Annotated[
        int | None, typer.Option(min=1_000, max=60_000_000, help="Only the feeds of persons, of so many people.")
    ] = None,
    first: Annotated[dt.datetime | None, _day("First day of what happens to them.")] = None,
    last: Annotated[dt.datetime | None, _day("Last day of the back-files.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Instead of --first: so many days up to the last.")] = None,
    nights: Annotated[int, typer.Option(min=0, max=60, help="Daily files after the back-files.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="The same seed writes the same bytes.")] = 2020,
) -> None:
    """Write the synthetic England: fictional organisations in the publications' real layouts, and the truth.

    With --people only the records of that many people, with their manifest; the days and nights are theirs.
    """
    from data.synthetic import write
    from data.synthetic.persons import Size, write_people

    if people is None:
        if first or last or days:
            raise Failed("--first, --last and --days are of the feeds of persons: say --people too")
        count = len(write(directory, seed))
    else:
        try:
            size = Size.of_days(
                people, first and first.date(), last and last.date(), days, nights=nights, seed=seed, has_truth=False
            )
        except ValueError as reason:
            raise Failed(str(reason)) from None
        count = len(write_people(directory, size))
    printing.out.print(f"{count} files of the synthetic England written to {directory}")


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
        printing.out.print(f"wrote  {path}")
    printing.out.print(f"add    {scaffold.line_of_agreement(feed, agreement)}", markup=False)


@app.command()
def docs() -> None:
    """Write docs/generated from the declarations."""
    from pipelines.adapters import generated_docs

    for path in generated_docs.write():
        printing.out.print(f"wrote  {path}")


if __name__ == "__main__":
    main()
