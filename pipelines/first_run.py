"""`make refresh`: the synthetic England in, and through to a published release, in one process."""

from __future__ import annotations

import sys

from data.synthetic import write_supplied
from pipelines import cli, intake, printing, settings
from pipelines.adapters import catalogue

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
    write_supplied(folder)
    printing.out.print(f"[bold]Synthetic England[/] (fictional organisations, real layouts) in {folder}")
    for feed in catalogue.feeds().values():
        if not (folder / feed.feed).is_dir():
            continue
        printing.out.print(f"\n[bold]datastore receive {feed.feed}[/]")
        for arrival in intake.receive(here, feed, [str(folder / feed.feed)]):
            printing.arrival(arrival)
    printing.out.print("\n[bold]datastore refresh[/]")
    result = cli.run_refresh(here)
    if not result.published:
        printing.refusal(result)
        return cli.REFUSED
    printing.release(here, result)
    printing.out.print(NEXT)
    return 0


def main() -> None:
    """Run, with errors as one line as everywhere."""
    cli.guarded(lambda: sys.exit(run()))


if __name__ == "__main__":
    main()
