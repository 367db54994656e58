"""The end of datasets, from the record of it to what anybody can check afterwards."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipelines.adapters import releases, warehouse
from pipelines.adapters.landing import Landing
from tests.support import ending
from tests.support.ended_store import Ended
from tests.support.ending import LENT, LENT_FEEDS, Ending
from tests.support.sabotages import SABOTAGES, Sabotage

# One of each kind; `make test-long` tries all, and on a store made by hand all are tried each time.
OF_EACH_KIND = {
    "keep_a_key", "copy_an_original", "forget_a_release", "leave_a_log_of_writes", "tamper_with_the_body",
    "edit_the_trail", "receive_again", "log_a_value", "forge_a_receipt", "restore_a_backup",
}  # fmt: skip
EVERY = bool(os.environ.get("DATASTORE_EVERY_SABOTAGE"))
TRIED = [one for one in SABOTAGES if EVERY or one.name in OF_EACH_KIND]
# Marts that say when something was received or released, so that those of two stores never agree.
OF_THE_RUN = ("quality", "release", "publication", "revision", "supplier_scorecard")


@dataclass
class Course:
    """A store before its end, what was said on the way, and after it."""

    before: Ending
    after: Ending
    files: list[ending.Planted]
    plan: str
    refusals: dict[str, str]
    ended_in_dagster: dict[str, Any]

    @property
    def certificate(self) -> Path:
        """The certificate of the end."""
        return Path(self.ended_in_dagster["told"]["certificate"])

    @property
    def ended(self) -> Ended:
        """As the sabotages take it."""
        keys = "home/keys"
        place, old = self.after.governance.parent, self.before.governance.parent
        return Ended(place / "home", place / keys, place / "governance", self.certificate, old / "home", old / keys)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """One end from its record to its certificate, with everything that has to be refused on the way."""
    place = tmp_path_factory.mktemp("the_end")
    files = ending.of_persons(place / "files")
    after = Ending.begin(place / "after")
    after.receive(files)
    after.run("refresh")
    refusals = {"nothing has ended": after.run("retention", "execute", "0" * 64, code=5)}
    after.end()
    refusals["received after the end"] = after.run("receive", files[0].feed, str(files[0].path), code=1)
    plan = after.plan()["plan"]
    refusals["nobody approved"] = after.run("retention", "execute", plan, code=5)
    after.approve(plan, "jane.doe")
    refusals["one approved"] = after.run("retention", "execute", plan, code=5)
    after.approve(plan)
    before = after.copy(place / "before")
    done = after.execute(plan)
    assert done["state"] == "delivered"
    package = done["returned"]["package_sha256"]
    whole = _tree(after)
    refusals["no receipt"] = after.run("retention", "execute", plan, code=5)
    wrong = {
        "another package": lambda: after.receipt("0" * 64),
        "another key": lambda: after.receipt(package, Ed25519PrivateKey.generate()),
        "another agreement": lambda: after.receipt(package, agreement=ending.PERSONS),
    }
    for name, receipt in wrong.items():
        refusals[name] = after.run("retention", "execute", plan, "--receipt", str(receipt()), code=5)
    assert _tree(after) == whole, "a wrong receipt changed something"
    refused, ended = after.execute_in_dagster("0" * 64, plan, receipt=after.receipt(package))
    refusals["no such plan, in Dagster"] = " ".join(refused["errors"])
    assert ended["succeeded"], ended
    return Course(before, after, files, plan, refusals, ended)


def _tree(one: Ending) -> dict[str, str]:
    """Every file of the data and the keys with its digest; not what tells of attempts."""
    places = ("landing", "accepted", "operations", "build", "published", "keys")
    files = (path for place in places for path in (one.store.home / place).rglob("*") if path.is_file())
    told = {str(path.relative_to(one.store.home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {name: digest for name, digest in told.items() if name not in ("keys/audit.head", "keys/lock")}


def test_what_is_refused_says_why(course: Course) -> None:
    """One line each, with the reason."""
    said = {
        "nothing has ended": "no plan has that hash",
        "received after the end": f"ended on 2026-11-01 (event {ending.END})",
        "nobody approved": "0 of 2 approvals",
        "one approved": "1 of 2 approvals",
        "no such plan, in Dagster": "no plan has that hash",
        "no receipt": "nothing is destroyed before the controller's receipt",
        "another package": "another package",
        "another key": "not signed by the controller's key",
        "another agreement": f"not {LENT}",
    }
    assert {name: words in course.refusals[name] for name, words in said.items()} == dict.fromkeys(said, True)


def test_dagster_keeps_the_run_that_ended_it(course: Course) -> None:
    """Whole, with its events, while those of before are forgotten; and it says what came of it."""
    done = course.ended_in_dagster
    assert done["told"] == {
        "state": "certified", "plan": course.plan, "verified": "True", "certificate": str(course.certificate),
    }  # fmt: skip
    assert done["runs"] == [["end_datasets", "SUCCESS", True]] and done["events"] > 5


def test_the_controller_opens_what_they_sent(course: Course) -> None:
    """Each file under the controller's key is byte for byte what was received, and another key opens none."""
    [package] = course.after.delivered.iterdir()
    contents = json.loads((package / "package.json").read_text())
    opened = {
        hashlib.sha256(pyrage.decrypt((package / one["file"]).read_bytes(), [course.after.identity])).hexdigest()
        for one in contents["files"]
    }
    sent = {hashlib.sha256(file.path.read_bytes()).hexdigest() for file in course.files if file.feed in LENT_FEEDS}
    assert opened == sent == {one["sha256"] for one in contents["files"]}
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt((package / contents["files"][0]["file"]).read_bytes(), [pyrage.x25519.Identity.generate()])


def test_the_verifier_passes(course: Course, tmp_path: Path) -> None:
    """With every mark that was planted; and the store before the end has them, so that it could find them."""
    marks = str(ending.marks_file(tmp_path / "marks"))
    course.after.run("retention", "verify", course.certificate.stem, "--canaries", marks)
    assert "Kanarien" not in course.certificate.read_text()


def test_nothing_of_it_is_left(course: Course) -> None:
    """No batch, no accepted row, no key, no release of before; what stays opens, and the trail is whole."""
    home, old = course.after.store.settings, course.before.store.settings
    ended = {held.sha256 for held in Landing(old).batches() if held.feed not in ending.STAY}
    assert {held.feed for held in Landing(home).batches()} == set(ending.STAY) and len(ended) > 10
    assert not {path.stem for path in home.accepted.rglob("*.parquet")} & ended
    assert not {folder.name for folder in releases.kept(home)} & {folder.name for folder in releases.kept(old)}
    assert course.after.json("audit", "verify")["passed"]
    states = {one["key"]: one["event"] for one in course.after.json("keys", "list")}
    gone = {name for name in states if any(digest in name for digest in ended) or name in ("derived.1", "pseudonym.1")}
    assert {states[name] for name in gone} == {"destroyed"} and states["derived.2"] == "created"
    assert course.after.json("retention", "plan")["plans"] == []


def test_what_stays_equals_a_store_that_never_held_it(course: Course, tmp_path: Path) -> None:
    """Every mart of both tiers, row for row, both ways."""
    never = Ending.begin(tmp_path / "never")
    never.receive(course.files, persons=False)
    never.run("refresh")
    for tier in releases.TIERS:
        with duckdb.connect(config=warehouse.CONFIG) as connection:
            connection.load_extension(warehouse.crypto_extension())
            listed = []
            for name, one in (("kept", course.after), ("never", never)):
                here = one.store.settings
                key = f", ENCRYPTION_KEY '{warehouse.internal_key(here).text}'" if tier == "internal" else ""
                path = releases.current(here) / tier / "datastore.duckdb"
                connection.execute(f"ATTACH '{path}' AS {name} (READ_ONLY{key})")
                tables = connection.execute(
                    "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = ?", [name]
                )
                listed.append({table for (table,) in tables.fetchall()})
            assert listed[0] == listed[1]
            compared = {table for table in listed[0] if table.split(".")[1] not in OF_THE_RUN}
            assert len(compared) > 20
            for table in sorted(compared):
                one, other = f"FROM kept.{table}", f"FROM never.{table}"
                for left, right in ((one, other), (other, one)):
                    assert connection.execute(f"{left} EXCEPT ALL {right}").fetchall() == [], (tier, table)


@pytest.mark.parametrize("sabotage", TRIED, ids=lambda one: one.name)
def test_a_sabotage_is_found(course: Course, sabotage: Sabotage, tmp_path: Path) -> None:
    """On this store too, which the pipeline itself made and ended."""
    copy = course.after.copy(tmp_path / "copy")
    certificate = copy.store.home / course.certificate.relative_to(course.after.store.home)
    ended = Ended(
        copy.store.home, copy.store.settings.keys, copy.governance, certificate,
        course.ended.before_home, course.ended.before_keys,
    )  # fmt: skip
    mark = "Kanarienvogt"
    marks = tmp_path / "marks"
    marks.write_text(mark + "\n")
    further = sabotage.do(ended, mark) or []
    done = copy.store.run(
        "retention", "verify", str(certificate), "--json", "--canaries", str(marks), *further,
        DATASTORE_GOVERNANCE=str(copy.governance),
    )  # fmt: skip
    assert done.returncode == 5, done.stdout + done.stderr
    found = {one["check"] for one in json.loads(done.stdout)["reasons"]}
    assert sabotage.check in found and mark not in done.stdout + done.stderr
