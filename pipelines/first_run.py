"""`make refresh`: the synthetic England in, and through to a published release, in one process."""

from __future__ import annotations

import sys

from rich.console import Console

from data.synthetic import write
from pipelines import cli, intake, settings
from pipelines.adapters import catalogue

out = Console(highlight=False, soft_wrap=True)

NEXT = """
Three commands to try next:

  .venv/bin/datastore query "select month, org_name, attendances, within_four_hours_rate
      from marts.ae_performance_monthly where org_level = 'nation' and department_type = 'all' order by month"
  .venv/bin/datastore status
  make dev          # the Dagster UI on the same state
"""


def run() -> int:
    """Write, receive and publish the synthetic England; returns the exit code of the refresh."""
    here = settings.load()
    settings.prepare(here)
    folder = here.home / "synthetic"
    write(folder)
    out.print(f"[bold]Synthetic England[/] (fictional organisations, real layouts) in {folder}")
    for feed in catalogue.feeds().values():
        if not (folder / feed.feed).is_dir():
            continue
        out.print(f"\n[bold]datastore receive {feed.feed}[/]")
        for arrival in intake.receive(here, feed, [str(folder / feed.feed)]):
            cli.print_arrival(arrival)
    out.print("\n[bold]datastore refresh[/]")
    result = cli.run_refresh(here, quiet=False)
    if not result.published:
        cli.print_refusal(result)
        return cli.REFUSED
    cli.print_release(here, result)
    out.print(NEXT)
    return 0


def main() -> None:
    """Run, with errors as one line as everywhere."""
    cli.guarded(lambda: sys.exit(run()))


if __name__ == "__main__":
    main()
