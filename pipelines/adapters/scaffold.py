"""A new feed: every file that the contract tests ask for, from the templates in `new_feed/`.

What it writes is a working monthly feed with one measure; the author then says what is true of the real one.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from string import Template

from pipelines import settings

TEMPLATES = Path(__file__).parent / "new_feed"
FAULTS = {
    "counts_not_negative": (
        "A provider returns fewer than nobody; the total agrees.",
        ["{op: set_cell, row: ZA1, column: $header, value: -4}", "{op: recalculate_totals}"],
    ),
    "one_row_per_provider": (
        "A provider stands in the file twice; the total counts it twice as well.",
        ["{op: duplicate_row, row: ZA0}", "{op: recalculate_totals}"],
    ),
    "rollup_equals_published_total": (
        "The total is one more than its providers.",
        ["{op: add_to_total, total: TOTAL, column: $header, value: 1}"],
    ),
}


class Cannot(Exception):
    """The feed cannot be written; one line that says why."""


def new_feed(feed: str, agreement: str, root: Path = settings.PROJECT_ROOT) -> list[Path]:
    """Write a new feed below `root` (the checkout) and return the paths. Raises `Cannot`."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", feed):
        raise Cannot("a feed is named <subject>_<collection> in lower case, e.g. discharge_sitrep")
    folder = root / "pipelines" / "defs" / "feeds" / feed
    if folder.exists():
        raise Cannot(f"feed {feed} is there already: {folder}")
    measure = f"{feed}_count"
    title = feed.replace("_", " ").capitalize()
    words = {
        "feed": feed,
        "title": title,
        "measure": measure,
        "metric_id": f"{measure}__all__{feed}",
        "header": f"Number of {title.lower()}",
        "agreement": agreement,
    }
    sample = f"{title.replace(' ', '-')}-April-2020-revised-010520.csv"
    written = {
        folder / "defs.yaml": _filled("defs.yaml", words),
        root / "expectations" / "landing" / f"{feed}.yaml": _filled("suite.yaml", words),
        root / "dbt_project" / "models" / "staging" / feed / f"_{feed}.yml": _filled("staging.yml", words),
        root
        / "dbt_project"
        / "models"
        / "staging"
        / feed
        / f"stg_{feed}.sql": f"{{{{ accepted_figures('{feed}') }}}}\n",
        root / "data" / "synthetic" / "samples" / feed / sample: _filled("sample.csv", words),
    }
    for rule, (description, edits) in FAULTS.items():
        lines = "".join(f"  - {Template(edit).substitute(words)}\n" for edit in edits)
        text = (
            f"feed: {feed}\nbase: {sample}\ndescription: {description}\nedits:\n{lines}"
            f"expect: {{verdict: quarantined, rule: {feed}.{rule}}}\n"
        )
        written[root / "data" / "synthetic" / "faults" / f"{feed}.{rule}.yaml"] = text
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [*written, *_registered(root, feed, words)]


def line_of_agreement(feed: str, agreement: str) -> str:
    """What the governance officer adds before the feed is received: the scaffold does not sign for them."""
    return f"governance/agreements.yaml, agreement {agreement}, a line under datasets:      - {feed}"


def _filled(template: str, words: dict[str, str]) -> str:
    return Template((TEMPLATES / template).read_text()).safe_substitute(words)


def _registered(root: Path, feed: str, words: dict[str, str]) -> list[Path]:
    """Add the feed to the figures that become observations, and its metric to the registry."""
    project = root / "dbt_project" / "dbt_project.yml"
    project.write_text(re.sub(r"(figure_feeds:\s+\[[^\]]*)\]", rf"\1, {feed}]", project.read_text()))
    registry = root / "dbt_project" / "seeds" / "metrics" / "metrics.csv"
    text = registry.read_text()
    columns = next(csv.reader(io.StringIO(text)))
    row = {
        "metric_id": words["metric_id"],
        "measure": words["measure"],
        "dimension": "all",
        "basis": feed,
        "metric_name": words["title"],
        "definition": "Say what is counted.",
        "unit": "count",
        "kind": "flow",
        "adds_over_time": "true",
        "adds_over_organisations": "true",
        "is_base": "true",
        "feed": feed,
        "definition_version": "1",
        "valid_from": "2020-04-01",
        "disclosure_class": "published",
        "source": words["title"],
    }
    line = io.StringIO()
    csv.DictWriter(line, columns, lineterminator="\n", restval="").writerow(row)
    registry.write_text(text + line.getvalue())
    return [project, registry]
