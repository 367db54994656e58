"""What the commands print: text for people, as `cli` decides; every name from outside goes through `escape`."""

from __future__ import annotations

import datetime as dt
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipelines.domain.refusals import MOST_LINES, printable
from pipelines.settings import Settings

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Item = TypeVar("Item")

# Of each list that `explain` prints; `--json` has them whole.
MOST_CELLS = 20
# Of an answer that is printed as a table; `--json` has it whole.
MOST_ROWS = 10_000
FRACTION = ("numerator", "denominator")


def error(line: str) -> None:
    """Why a command cannot do what was asked, in one line on standard error."""
    err.print(f"[red]datastore:[/] {escape(line)}")


def as_json(value: Any) -> None:
    """A report for programs; dates as ISO."""
    sys.stdout.write(json.dumps(value, indent=1, default=_plain) + "\n")


def rows_as_json(columns: Sequence[str], batches: Iterable[Sequence[Sequence[Any]]]) -> None:
    """Rows as one JSON array of objects, written batch by batch: an answer may be larger than memory.

    Days are `YYYY-MM-DD`, instants `YYYY-MM-DDTHH:MM:SSZ`, numbers numbers, and what is none of JSON's numbers null.
    The first batch is complete before anything is written, so that a question that fails at once leaves nothing.
    """
    names = [json.dumps(name).replace("%", "%%") for name in columns]
    line = "{" + ", ".join(f"{name}: %s" for name in names) + "}"
    separator = "[\n"
    for batch in batches:
        told = zip(*map(_all_json, zip(*batch, strict=True)), strict=True)
        sys.stdout.write(separator + ",\n".join([line % row for row in told]))
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")
    sys.stdout.flush()


def _all_json(values: Sequence[Any]) -> Iterable[str]:
    """The values of a column as JSON."""
    kinds = set(map(type, values))
    return map(_JSON.get(kinds.pop(), _other_json) if len(kinds) == 1 else _json, values)


def _json(value: Any) -> str:
    """A value of the database as JSON."""
    return _JSON.get(type(value), _other_json)(value)


def _other_json(value: Any) -> str:
    return json.dumps(str(value))


@lru_cache(10_000)  # marts repeat their days and hours
def _day(value: dt.date) -> str:
    return f'"{value.isoformat()}"'


@lru_cache(10_000)
def _instant(value: dt.datetime) -> str:
    in_utc = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
    return f'"{in_utc.isoformat(timespec="seconds")}Z"'


_JSON: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: "null",
    bool: lambda value: "true" if value else "false",
    int: str,
    float: lambda value: repr(value) if math.isfinite(value) else "null",
    Decimal: lambda value: format(value, "f") if value.is_finite() else "null",
    str: encode_basestring_ascii,
    dt.date: _day,
    dt.datetime: _instant,
    list: lambda value: "[" + ", ".join(map(_json, value)) + "]",
    tuple: lambda value: "[" + ", ".join(map(_json, value)) + "]",
    dict: lambda value: "{" + ", ".join(f"{json.dumps(str(key))}: {_json(one)}" for key, one in value.items()) + "}",
}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime, dt.time)) else str(value)


def steps() -> Progress:
    """A spinner on a terminal, nothing elsewhere."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def counted(what: str, items: Iterable[Item]) -> Iterator[Item]:
    """The items, with a spinner that says how far we are."""
    with steps() as bar:
        task = bar.add_task(what, total=None)
        for count, item in enumerate(items, start=1):
            bar.update(task, description=f"{what}: {count} files")
            yield item


def table(columns: Sequence[str | tuple[str, str]], rows: Iterable[Sequence[str]]) -> None:
    """Rows below a header, as wide as they are: columns are never folded or cut, a terminal wraps the line.

    A column is its name, or its name and `right` for numbers.
    """
    made = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        name, justify = (column, "left") if isinstance(column, str) else column
        made.add_column(name, justify=justify)  # type: ignore[arg-type]
    for row in rows:
        made.add_row(*row)
    Console(highlight=False, width=10_000).print(made)


def shown(value: Any) -> str:
    """A value of a table: fractions to four places, nothing for null, control characters escaped."""
    if value is None:
        return ""
    return escape(f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else printable(str(value), 500))


def arrival(one: Any) -> None:
    """One line for a file, and the reasons below it when it was not accepted."""
    colour = {"accepted": "green", "quarantined": "yellow"}.get(one.verdict, "red")
    facts = []
    if one.already_held:
        facts.append("already held")
    if one.verdict == "accepted":
        facts.append(f"{one.rows:,} rows")
        if one.period_start:
            same = one.period_start == one.period_end
            facts.append(one.period_start if same else f"{one.period_start} to {one.period_end}")
    if one.sha256:
        facts.append(f"sha256 {one.sha256[:12]}")
    detail = f" ({', '.join(facts)})" if facts else ""
    out.print(f"[{colour}]{one.verdict}[/]  {escape(one.file)}{detail}")
    if one.rejected:
        told = ", ".join(f"{reason} {count:,}" for reason, count in one.rejected.items())
        out.print(f"  rejected {_many(sum(one.rejected.values()), 'row')}: {told}")
    lines = one.reasons if one.verdict != "accepted" else []
    for line in lines[: MOST_LINES - 1]:
        out.print(f"  {escape(line)}")
    if len(lines) >= MOST_LINES:
        out.print(f"  and {len(lines) - MOST_LINES + 1} more")
    if one.verdict == "accepted":
        for line in one.warnings[: MOST_LINES - 1]:
            out.print(f"  [yellow]warning[/] {escape(line)}")


def refusal(result: Any) -> None:
    """Why nothing was published."""
    err.print("[red]refused[/]: nothing was published; the release before stays served")
    for reason in result.reasons[:MOST_LINES]:
        err.print(f"  {escape(reason)}")


def release(here: Settings, result: Any) -> None:
    """What was published and where."""
    folder = here.published / result.release["release_id"]
    out.print(f"[green]published[/]  release {result.release['release_id']} in {result.seconds:.0f} s")
    rows = result.release["rows"]
    table(["mart", ("rows", "right")], [[f"marts.{mart}", f"{count:,}"] for mart, count in rows.items()])
    out.print(f"public    {folder / 'public' / 'datastore.duckdb'}")
    out.print(f"internal  {folder / 'internal' / 'datastore.duckdb'} (encrypted)")


def status(report: dict[str, Any]) -> None:
    """Feeds, the release, what waits in quarantine, failed checks."""
    table(
        ["feed", ("accepted", "right"), ("quarantined", "right"), "last period", "received", "fresh"],
        [
            [
                feed["feed"],
                str(feed["accepted"]),
                str(feed["quarantined"]),
                feed["last_period_end"] or "-",
                (feed["last_received_at"] or "-")[:16],
                "[green]yes[/]" if feed["is_fresh"] else "[yellow]no[/]",
            ]
            for feed in report["feeds"]
        ],
    )
    served = report["release"]
    if served is None:
        out.print("release   none yet: run `datastore refresh`")
    else:
        stale = f" [yellow]stale[/]: {escape(served['reason'] or 'no refresh since')}" if served["is_stale"] else ""
        out.print(f"release   {served['release_id']}, published {served['published_at'][:16]}{stale}")
    for waiting in report["quarantine"][:MOST_LINES]:
        name = f"{waiting['feed']}: {escape(waiting['file'])} (sha256 {waiting['sha256'][:12]})"
        out.print(f"[yellow]quarantined[/]  {name}: {escape(waiting['reason'])}")
    failed = [check for check in report["checks"] if not check["passed"]]
    for check in failed[:MOST_LINES]:
        out.print(
            f"[yellow]{check['severity']}[/]  {check['check']}: {escape(check['file'])}: {escape(check['reason'])}"
        )
    out.print(f"checks    {len(report['checks']) - len(failed)} of {len(report['checks'])} passed")


def governance(rows: list[dict[str, Any]]) -> None:
    """What governs each dataset, one line each; what ended or is held is said below."""
    table(
        ["feed", "agreement", "legal basis", "ends", "opt-outs", "DPIA", "disposition", ("batches", "right")],
        [
            [
                row["feed"],
                row["agreement"],
                row["basis"] or "[red]none in force[/]",
                row["basis_ends_as_known"] or ("open" if row["basis"] else "-"),
                "apply" if row["opt_outs_apply"] else "do not apply",
                escape(row["dpia"]),
                row["disposition"],
                shown(row.get("accepted")),
            ]
            for row in rows
        ],
    )
    for row in rows:
        dataset = f"{row['feed']}/{row['agreement']}"
        for end in row.get("ends", []):
            days = f" for {end['from'] or ''}..{end['to'] or ''}" if end["from"] or end["to"] else ""
            due = f", {row['disposition']} by {end['due']}" if end["due"] else ""
            out.print(f"[yellow]ended[/]  {dataset} on {end['date']}{days} (event {end['id']}){due}")
        for hold in row.get("holds", []):
            out.print(f"[yellow]held[/]   {dataset} (hold {hold})")


def answer(columns: Sequence[str], batches: Iterable[Sequence[Sequence[Any]]]) -> None:
    """The rows of a query, numbers to the right; of a long answer its beginning."""
    rows: list[Sequence[Any]] = []
    for batch in batches:
        room = MOST_ROWS - len(rows)
        rows += batch[:room]
        if len(batch) > room:
            err.print(f"the first {MOST_ROWS:,} rows; --json has them all")
            break
    numeric = [all(isinstance(row[place], (int, float, type(None))) for row in rows) for place in range(len(columns))]
    table(
        [(name, "right" if number else "left") for name, number in zip(columns, numeric, strict=True)],
        [[shown(value) for value in row] for row in rows],
    )


def explanation(told: dict[str, Any]) -> None:
    """A cell and all that is behind it; long lists are cut, `--json` has them whole."""
    row, release_of = told["row"], told["release"]
    measured = {measure["measure"] for measure in told["measures"]}
    out.print(f"[bold]{told['mart']}[/], organisations {told['view'].replace('_', ' ')}")
    table(["column", "value"], [[name, shown(value)] for name, value in row.items() if name not in measured])
    for measure in told["measures"]:
        _measure(measure)
    _organisations(told["organisations"])
    cells, files = told["cells"], {one["sha256"]: one for one in told["files"]}
    out.print(f"\n[bold]Published cells[/] ({len(cells)} in {_many(len(files), 'file')})")
    table(
        ["file", "sheet", ("row", "right"), "column", "metric", "organisation", ("value", "right"), "status"],
        [
            [
                escape(files[cell["sha256"]]["file_name"] or cell["sha256"][:12]),
                shown(cell["sheet"]),
                shown(cell["row"]),
                shown(cell["column"]),
                cell["metric_id"],
                shown(cell["org_code"]),
                shown(cell["value"]),
                _state(cell),
            ]
            for cell in cells[:MOST_CELLS]
        ],
    )
    _and_more(cells)
    out.print("\n[bold]Files[/]")
    for one in told["files"]:
        checks = [check for check in told["checks"] if check["batch"] == one["sha256"]]
        _file(one, checks)
    out.print(f"\nrelease {release_of['release_id']}, code version {release_of['code_version']}")


def _measure(measure: dict[str, Any]) -> None:
    value = shown(measure["value"]) or "null"
    out.print(
        f"\n[bold]{measure['measure']} = {value}[/]  {measure['unit']}, {measure['kind']}  {measure['metric_id']}"
    )
    out.print(f"  {escape(measure['definition'])}")
    since = f", in force since {measure['valid_from']}" if measure["valid_from"] else ""
    out.print(f"  definition version {measure['definition_version']}{since}; {escape(measure['source'])}")
    if measure["scope"]:
        out.print(f"  scope: {escape(measure['scope'])}")
    if "numerator" in measure:
        parts = [f"{measure[part]['metric_id']} {shown(measure[part]['value']) or 'null'}" for part in FRACTION]
        out.print(f"  = {parts[0]} / {parts[1]}")
    lacking: dict[str, list[str]] = {}
    for one in measure["organisations_out"]:
        lacking.setdefault(one["why"], []).append(one["org_code"])
    out.print(f"  of {_many(len(measure['organisations_in']), 'organisation')}")
    for why, codes in lacking.items():
        out.print(f"  without {len(codes)}, {escape(why)}: {_listed(codes)}")


def _organisations(members: list[dict[str, Any]]) -> None:
    expected = [member for member in members if member["is_expected"]]
    reported = sum(member["is_reported"] for member in members)
    out.print(f"\n[bold]Organisations[/] ({reported} reported, {len(expected)} expected)")
    table(
        ["code", "name", "counted as", "reported"],
        [
            [
                shown(member["org_code"]),
                shown(member["org_name"]),
                "" if member["counted_as"] == member["org_code"] else shown(member["counted_as"]),
                "yes" if member["is_reported"] else f"no: {escape(member['why_not'] or '')}",
            ]
            for member in members[:MOST_CELLS]
        ],
    )
    _and_more(members)


def _file(one: dict[str, Any], checks: list[dict[str, Any]]) -> None:
    out.print(f"{one['feed']}: {escape(one['file_name'] or 'no longer held')}")
    out.print(f"  sha256 {one['sha256']}")
    out.print(
        f"  published {one['published_on'] or '-'}, received {(one['received_at'] or '-')[:16]}, layout {one['layout']}"
    )
    out.print(f"  agreement {one['agreement']}: {escape(one['clause'])}")
    basis = f"{escape(one['legal_basis'])} ({escape(one['citation'])})"
    out.print(f"  legal basis: {basis}; controller {escape(one['controller'])}")
    whole = [check for check in checks if not check["org_code"]]
    out.print(f"  checks of the file: {sum(check['passed'] for check in whole)} of {len(whole)} passed")
    found: dict[tuple[str, str, str], list[str]] = {}
    for check in checks:
        if not check["passed"]:
            about = found.setdefault((check["severity"], check["check_id"], check["reason"]), [])
            about += [check["org_code"]] if check["org_code"] else []
    for (severity, check_id, reason), codes in found.items():
        out.print(f"    [yellow]{severity}[/] {check_id}{': ' if codes else ''}{_listed(codes)}: {escape(reason)}")


def retention_plan(report: dict[str, Any]) -> None:
    """What is held, and the plan of each end that has come."""
    table(
        [
            "dataset",
            "basis, to",
            "in the end",
            ("originals", "right"),
            ("bytes", "right"),
            ("releases", "right"),
            "state",
        ],
        [
            [
                one["dataset"],
                f"{one['legal_basis'] or '[red]none[/]'}, {one['basis_ends'] or 'open'}",
                one["disposition"] + (f" on {one['retained_on']}" if one["retained_on"] else ""),
                f"{one['sealed_originals']:,}",
                f"{one['sealed_bytes']:,}",
                f"{one['releases']:,}",
                (f"ended ({one['ended']})" if one["ended"] else "held")
                + (f", hold {', '.join(one['holds'])}" if one["holds"] else ""),
            ]
            for one in report["datasets"]
        ],
    )
    table(
        ["zone", "holds", ("files", "right"), ("bytes", "right")],
        [[one["zone"], one["holds"], f"{one['files']:,}", f"{one['bytes']:,}"] for one in report["zones"]],
    )
    for plan in report["plans"]:
        plan_of_end(plan)
    if not report["plans"]:
        out.print("plans     none: no end is recorded that has not been executed (governance/policy_events.yaml)")


def plan_of_end(plan: dict[str, Any]) -> None:
    """A plan: what goes and stays, and what stands in its way."""
    end = plan["end"]
    out.print(f"\n[bold]plan {plan['plan']}[/]")
    out.print(f"  end {end['id']} of {end['date']}: {escape(end['authority'])}, {escape(end['reference'])}")
    out.print(f"  requested by {escape(plan['requested_by'])}; due {plan['due']}")
    table(
        ["goes", "how", ("files", "right"), ("accepted", "right"), ("keys", "right")],
        [
            [
                one["dataset"],
                _how(one),
                str(len(one["batches"])),
                str(one["held"]["accepted_files"]),
                str(len(one["keys"])),
            ]
            for one in plan["datasets"]
        ],
    )
    out.print(f"  keys of this generation, which go whatever stays: {escape(', '.join(plan['keys']) or 'none')}")
    losses(plan["losses"])
    table(["stays", "on which basis"], [[escape(one["what"]), escape(one["basis"])] for one in plan["remains"]])
    for one in plan["backups"]:
        out.print(f"  backup {one['id']} ({escape(one['location'])}, {escape(one['keeper'])}): {escape(one['action'])}")
    for line in plan["blocked"]:
        out.print(f"  [red]stands in the way[/] {escape(line)}")
    told = ", ".join(plan["approved_by"]) or "nobody yet"
    out.print(f"  approved by {escape(told)}: two are needed (datastore retention approve {plan['plan'][:12]})")


def _how(dataset: dict[str, Any]) -> str:
    """What becomes of a dataset; of a withdrawal with the number of rows that go."""
    if dataset["disposition"] != "withdraw":
        return str(dataset["disposition"])
    rows = [batch["rows"] for batch in dataset["batches"]]
    whole = f", {_many(rows.count(None), 'file')} whole" if None in rows else ""
    return f"withdraw {_many(sum(count or 0 for count in rows), 'row')}{whole}"


def losses(found: Sequence[dict[str, Any]]) -> None:
    """What other marts lose."""
    for one in found:
        columns = one["columns"] if isinstance(one["columns"], str) else ", ".join(one["columns"])
        out.print(f"  [yellow]{one['mart']} loses[/] {escape(columns)} (without {one['because']})")


def executed(done: dict[str, Any]) -> None:
    """What came of an execution."""
    if done["state"] == "delivered":
        given = done["returned"]
        out.print(f"[green]delivered[/]  {given['files']} files to {escape(given['delivered_to'])}")
        out.print(f"  package {given['package_sha256']}; nothing is destroyed before the controller's receipt of it")
        return
    out.print(f"[green]ended[/]  {done['files_destroyed']:,} files and {done['keys_destroyed']:,} keys destroyed")
    out.print(f"  release {done['release_id'] or 'none: nothing stays that could be released'}")
    out.print(f"  certificate {escape(done['certificate'])}")
    for one in done["verification"]["findings"]:
        out.print(f"  [red]found[/] {one['check']}: {escape(one['where'])}: {escape(one['what'])}")
    if done["verification"]["passed"]:
        out.print("  looked at afterwards: what was to go is gone, what is closed does not open")


def trail(entries: Sequence[dict[str, Any]]) -> None:
    """Entries of the audit trail."""
    fixed = ("number", "at", "who", "what", "reason", "previous")
    table(
        [("no.", "right"), "at (UTC)", "who", "what", "why", "facts"],
        [
            [
                str(one["number"]), one["at"][:19], escape(one["who"]), one["what"], escape(one.get("reason", "")),
                escape(", ".join(f"{name} {value}" for name, value in one.items() if name not in fixed)[:200]),
            ]
            for one in entries
        ],
    )  # fmt: skip


def keys(entries: Sequence[dict[str, str]]) -> None:
    """The key register, one line a key."""
    table(
        ["key", "state", "since (UTC)", "fingerprint", "algorithm", "wrapped by"],
        [
            [one["key"], one["event"], one["at"][:19], one["fingerprint"], one["algorithm"], one["wrapped_by"] or "-"]
            for one in entries
        ],
    )


def _listed(codes: Sequence[str]) -> str:
    more = f" and {len(codes) - MOST_CELLS} more" if len(codes) > MOST_CELLS else ""
    return escape(", ".join(codes[:MOST_CELLS])) + more


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _state(cell: dict[str, Any]) -> str:
    return f"{cell['status']} ({cell['status_reason']})" if cell["status_reason"] else str(cell["status"])


def _and_more(items: Sequence[Any]) -> None:
    if len(items) > MOST_CELLS:
        out.print(f"  and {len(items) - MOST_CELLS} more (--json has all)")
