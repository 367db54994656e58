"""The tree agrees with itself: a feed that forgets a part is named here."""

from __future__ import annotations

import csv
import json

import jsonschema
import pytest
import yaml

from data.synthetic import load_faults
from pipelines import settings
from pipelines.adapters import catalogue, generated_docs
from pipelines.adapters.release_gate import suite as release_suite
from pipelines.domain.gates import VIEWS
from pipelines.domain.governance import FILES

FEEDS = sorted(path.parent.name for path in settings.FEEDS.glob("*/defs.yaml"))


def staging(feed: str) -> dict:
    """The staging YAML of a feed."""
    return yaml.safe_load((settings.DBT_PROJECT / "models" / "staging" / feed / f"_{feed}.yml").read_text())


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_is_whole(feed: str) -> None:
    declared = catalogue.feed(feed)
    assert declared.feed == feed, "the folder and the YAML name the same feed"
    catalogue.register().governing(declared)
    assert catalogue.suite(feed).subject == feed
    assert [table["name"] for table in staging(feed)["sources"][0]["tables"]] == [feed]
    assert (settings.DBT_PROJECT / "models" / "staging" / feed / f"stg_{feed}.sql").exists()


@pytest.mark.parametrize("feed", FEEDS)
def test_a_staging_model_has_the_accepted_columns(feed: str) -> None:
    declared = catalogue.feed(feed)
    sql = (settings.DBT_PROJECT / "models" / "staging" / feed / f"stg_{feed}.sql").read_text()
    if declared.kind == "figures":
        assert f"accepted_figures('{feed}')" in sql
        return
    accepted = declared.records.accepted_schema() if declared.records else declared.accepted_schema()
    if declared.records:  # what all versions of records have stands in the macro
        sql += (settings.DBT_PROJECT / "macros" / "persons" / "versions_of.sql").read_text()
    missing = [column for column in accepted if column not in sql]
    assert not missing, f"stg_{feed}.sql leaves out {missing}: load only what a mart needs (use: ignored)"


def test_every_figure_is_a_registered_metric() -> None:
    with (settings.DBT_PROJECT / "seeds" / "metrics" / "metrics.csv").open(newline="") as file:
        registry = {row["metric_id"]: row for row in csv.DictReader(file)}
    declared = {metric_id: feed for feed in FEEDS for metric_id in catalogue.feed(feed).metric_ids}
    assert declared.keys() <= registry.keys()
    assert {metric_id for metric_id, row in registry.items() if row["is_base"] == "true"} == declared.keys()
    for metric_id, row in registry.items():
        assert metric_id == f"{row['measure']}__{row['dimension']}__{row['basis']}"
        assert all(row[needed] for needed in ("definition", "unit", "kind", "disclosure_class", "feed")), metric_id


def test_figure_feeds_become_observations() -> None:
    project = yaml.safe_load((settings.DBT_PROJECT / "dbt_project.yml").read_text())
    assert sorted(project["vars"]["figure_feeds"]) == [f for f in FEEDS if catalogue.feed(f).kind == "figures"]


def test_no_rule_lacks_a_fault_and_no_fault_a_rule() -> None:
    rules = [rule for feed in FEEDS for rule in catalogue.suite(feed).rules] + list(release_suite().rules)
    faults = {fault.rule for fault in load_faults()}
    release_faults = {path.stem for path in (settings.PROJECT_ROOT / "data/synthetic/faults/release").glob("*.sql")}
    assert {rule.id for rule in rules} == faults | release_faults
    assert len(rules) == len({rule.id for rule in rules})


def test_limits_on_a_profile_are_whole_per_cents() -> None:
    """The profile tells shares in whole per cent, rounded up: another limit would say something else of them."""
    rules = [rule for feed in catalogue.feeds() for rule in catalogue.suite(feed).rules if rule.view == "profile"]
    limits = [rule.expectation[name] * 100 for rule in rules for name in rule.expectation if name.endswith("_value")]
    assert len(limits) >= len(rules) > 0
    assert [limit for limit in limits if abs(limit - round(limit)) > 1e-9] == []


def test_rules_look_at_views_that_exist() -> None:
    for feed in FEEDS:
        assert {rule.view for rule in catalogue.suite(feed).rules} <= VIEWS.keys()


@pytest.mark.parametrize("name", sorted(generated_docs.PAGES))
def test_generated_docs_are_fresh(name: str) -> None:
    path = generated_docs.FOLDER / name
    assert path.exists() and path.read_text() == generated_docs.PAGES[name](), f"{name} is stale: run `make docs`"


@pytest.mark.parametrize("name", sorted(FILES))
def test_governance_keeps_its_schema(name: str) -> None:
    """An editor that goes by the schema takes what we take: the records of the checkout, and no unknown field."""
    schema = json.loads((generated_docs.FOLDER / "governance" / f"{name}.schema.json").read_text())
    lines = (settings.GOVERNANCE / f"{name}.yaml").read_text()
    assert f"docs/generated/governance/{name}.schema.json" in lines.splitlines()[0]
    records = json.loads(json.dumps(yaml.safe_load(lines), default=str))
    jsonschema.validate(records, schema)
    with pytest.raises(jsonschema.ValidationError, match="extra"):
        jsonschema.validate({**records, "extra": 1}, schema)
