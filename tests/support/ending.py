"""A store of a few feeds of which most end: held, ended, or one that never held them. Commands as a user gives them."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from data.synthetic.samples import person_samples
from pipelines.domain.retention import digest, public_text, sign
from pipelines.settings import PROJECT_ROOT
from tests.support import canaries
from tests.support.canaries import Planted
from tests.support.governed import folder
from tests.support.stores import Store
from tests.support.supplied import supplied

PERSONS = "synthetic_person_level"
LENT = "records_of_a_trust"
# Fed under the second agreement, and returned; all other feeds of persons are destroyed.
LENT_FEEDS = ("covid_tests", "care_home_residents")
STAY = {"ae_monthly": ("ae_monthly", "April"), "ods_trusts": ("ods_trusts", "etr.csv")}
END = "emergency_ended"
TESTS = "covid_tests"

# The last line that it prints: of each run whether it succeeded, what it was refused with, what it told of the asset,
# and the runs that the instance still has.
IN_DAGSTER = """
import json, sys
import dagster as dg
from pipelines import settings
settings.prepare(settings.load())
from pipelines.definitions import defs
job, told = defs().resolve_job_def("end_datasets"), []
with dg.DagsterInstance.get() as instance:
    for plan in sys.argv[2:]:
        config = {"ops": {"retention_execution": {"config": {"plan": plan, "receipt": sys.argv[1]}}}}
        run = job.execute_in_process(instance=instance, raise_on_error=False, run_config=config)
        errors = [event.step_failure_data.error.message for event in run.get_step_failure_events()]
        made = run.asset_materializations_for_node("retention_execution") if run.success else []
        told.append({
            "succeeded": run.success, "errors": errors,
            "told": {name: value.value for one in made for name, value in one.metadata.items()},
            "runs": [[one.job_name, one.status.value, one.run_id == run.run_id] for one in instance.get_runs()],
            "events": len(instance.all_logs(run.run_id)),
        })
print(json.dumps(told))
"""


@dataclass
class Ending:
    """A store, its governance records, its approvers' keys, and the controller to whom a part is returned."""

    store: Store
    governance: Path
    controller: Ed25519PrivateKey
    identity: pyrage.x25519.Identity
    delivered: Path

    @classmethod
    def begin(cls, place: Path) -> Ending:
        """Governance records with an agreement more, by which data is returned; nobody approves yet, nothing ended."""
        controller, identity = Ed25519PrivateKey.generate(), pyrage.x25519.Identity.generate()
        delivered = place / "delivered"

        def lend(records: dict[str, Any]) -> None:
            agreements = records["agreements"]["agreements"]
            own = next(one for one in agreements if one["id"] == PERSONS)
            back = {
                "recipient": str(identity.to_public()),
                "deliver_to": delivered.as_uri(),
                "receipt_key": public_text(controller),
            }
            disposition = {**own["disposition"], "action": "return", "return_to": back}
            agreements.append({**own, "id": LENT, "datasets": list(LENT_FEEDS), "disposition": disposition})

        place.mkdir(parents=True, exist_ok=True)
        governance = Path(folder(place / "governance", lend))
        return cls(Store(place / "home"), governance, controller, identity, delivered)

    def run(self, *arguments: str, code: int = 0, **changed: str) -> str:
        """A command on the store, which has to end with that code; what it printed, or its one line of refusal."""
        done = self.store.run(*arguments, DATASTORE_GOVERNANCE=str(self.governance), **changed)
        assert done.returncode == code, (arguments, done.returncode, done.stderr, done.stdout)
        if code:
            assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) <= 2, done.stderr
        return done.stdout if code == 0 else done.stderr

    def json(self, *arguments: str) -> Any:
        """The same as JSON."""
        return json.loads(self.run(*arguments, "--json"))

    def receive(self, files: list[Planted], persons: bool = True) -> None:
        """Take files in: those of persons, one part of them under the second agreement, and two feeds that stay."""
        for feed, named in STAY.items():
            self.run("receive", feed, str(supplied(*named)))
        for file in files if persons else []:
            agreement = LENT if file.feed in LENT_FEEDS else PERSONS
            self.run("receive", file.feed, str(file.path), "--agreement", agreement, code=3 if file.is_refused else 0)

    def end(self, day: dt.date | None = None, **row: Any) -> None:
        """Record the end of the policy, and two approvers in office."""
        day = day or dt.date(2026, 11, 1)
        told = {
            "id": END, "date": day, "known_from": day, "policy": "covid_19_emergency", "kind": "ended",
            "authority": "Secretary of State", "reference": "Letter of 20 October", "requested_by": "ann.other", **row,
        }  # fmt: skip
        path = self.governance / "policy_events.yaml"
        content = yaml.safe_load(path.read_text())
        content["events"] = [one for one in content["events"] if one["id"] != told["id"]] + [told]
        path.write_text(yaml.safe_dump(content))
        approvers = []
        for name in ("jane.doe", "john.roe"):
            key = self.governance.parent / f"{name}.pem"
            if not key.exists():
                self.run("retention", "new-approver", name, "--output", str(key))
            public = public_text(_private(key))
            approvers.append({"id": name, "name": name, "role": "Guardian", "public_key": public, "from": "2020-01-01"})
        (self.governance / "approvers.yaml").write_text(yaml.safe_dump({"approvers": approvers}))

    def plan(self, end: str = END) -> dict[str, Any]:
        """The plan of an end."""
        plans = self.json("retention", "plan")["plans"]
        return dict(next(one for one in plans if one["end"]["id"] == end))

    def approve(self, plan: str, *names: str) -> None:
        """Both approvers sign, or those named."""
        for name in names or ("jane.doe", "john.roe"):
            key = str(self.governance.parent / f"{name}.pem")
            self.run("retention", "approve", plan, "--as", name, "--key", key, "--accept-losses")

    def execute(self, plan: str, *arguments: str) -> dict[str, Any]:
        """Execute; what came of it."""
        return dict(self.json("retention", "execute", plan, *arguments))

    def execute_in_dagster(self, *plans: str, receipt: Path) -> list[dict[str, Any]]:
        """Run job `end_datasets` for one plan after the other, as the UI would; what came of each run."""
        done = subprocess.run(
            [sys.executable, "-c", IN_DAGSTER, str(receipt), *plans],
            capture_output=True,
            text=True,
            env=self.store.environment | {"DATASTORE_GOVERNANCE": str(self.governance)},
            cwd=PROJECT_ROOT,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return list(json.loads(done.stdout.splitlines()[-1]))

    def receipt(self, package: str, key: Ed25519PrivateKey | None = None, agreement: str = LENT) -> Path:
        """A receipt of a package by the controller, or by whoever has the key."""
        said = {
            "agreement": agreement, "package_sha256": package, "received_at": "2026-11-03T09:00:00+00:00",
            "received_by": "Records office",
        }  # fmt: skip
        path = self.governance.parent / "receipt.json"
        path.write_text(json.dumps({**said, "signature": sign(key or self.controller, digest(said))}))
        return path

    def copy(self, target: Path) -> Ending:
        """A copy that a test may change; what was delivered stays one."""
        shutil.copytree(self.governance.parent, target, symlinks=True)
        return Ending(Store(target / "home"), target / "governance", self.controller, self.identity, self.delivered)


def _private(path: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def of_persons(place: Path) -> list[Planted]:
    """Files of every feed of persons, with marks in every column that says who somebody is or what they have."""
    place.mkdir(parents=True, exist_ok=True)
    return [file for file in canaries.planted(place) if file.feed not in ("covid_hospital_activity", *STAY) and not
            file.feed.startswith("ods_")]  # fmt: skip


def file_of_tests(place: Path, name: str, *submitted: dt.date) -> Path:
    """A file of COVID tests, one submitted on each of the days."""
    table = next(sample.table for sample in person_samples() if sample.feed == TESTS)
    names = [str(column) for column in table.columns]
    row = dict(zip(names, map(str, table.rows[0]), strict=True))
    lines = [",".join(names)]
    for number, day in enumerate(submitted):
        changed = row | {"submission_date": str(day), "specimen_number": f"{name}{number}"}
        changed |= {
            column: str(min(submitted)) for column in names if column.endswith("_date") and "birth" not in column
        }
        changed["submission_date"] = str(day)
        lines.append(",".join(changed[column] for column in names))
    path = place / f"{name}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def marks_file(path: Path) -> Path:
    """Every mark, one a line, as the verifier takes them."""
    path.write_text("\n".join(canaries.PERSON_MARKS) + "\n")
    return path
