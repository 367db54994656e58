"""Executing a plan: a few steps, each of which can be done again, and one point of no return.

    begun        the next generation is made aside, everything that will go is listed with its digest
    committed    `retention/open` names the plan: from here it is only gone forward
    switched     the new release is served, the new zones are in their place
    keys         the keys are destroyed
    files        what they opened is overwritten and removed
    certified    what was done is looked at by the verifier, signed and published

A process killed before `committed` leaves the store as it was, and `execute` begins again. Killed after it, the store
takes nothing in and releases nothing until `execute` has gone on to the end.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipelines import settings as environment
from pipelines.adapters import audit, dagster_store, releases
from pipelines.adapters.files import append_line, destroy_file, destroy_folder, lock, replace_with, write_json
from pipelines.adapters.keys import KeyStore
from pipelines.adapters.landing import Held, Landing
from pipelines.adapters.unfinished import unfinished
from pipelines.domain.retention import NotDone, approvals_lacking, digest
from pipelines.retention import approvals, certificates, generation, holdings, plans, returning, withdrawal
from pipelines.retention.plans import Plan
from pipelines.settings import PROJECT_ROOT, Settings

METHOD = {
    "clear": "every file overwritten once and unlinked",
    "purge": "cryptographic erase: sealed from the first write, the keys kept apart from the data and destroyed",
    "destroy": "none: the media stay in use",
    "standard": "in the terms of NIST SP 800-88 revision 2 and IEEE 2883; alignment is ours, no certification",
}
# Of these zones every file is listed with its digest; of the others, which hold no rows, how many there were.
LISTED = ("landing", "accepted", "quarantine", "operations", "build", "published")
COUNTED = ("dbt", "tmp", "dagster")
Step = Callable[[str], None]


def execute(
    settings: Settings, plan_sha256: str, receipt: Path | None = None, keep_run: str | None = None,
    on_step: Step = lambda step: None,
) -> dict[str, Any]:  # fmt: skip
    """Execute an approved plan, or go on with one that was interrupted; returns what came of it.

    `{"state": "certified", "certificate": path, ...}`, or `{"state": "delivered", ...}` when the data was delivered to
    its controller and the receipt is not there yet. `keep_run` is the Dagster run that executes it, if one does.
    Raises `NotDone` when it is refused; then nothing has changed.
    """
    with contextlib.ExitStack() as alone:
        # In the order in which a refresh takes them: whoever works on the store now is waited for.
        for name in ("retention", "run", "intake"):
            alone.enter_context(lock(settings.locks / name))
        if (open_plan := unfinished(settings)) is not None:
            if not open_plan.startswith(plan_sha256):
                raise NotDone(f"the execution of plan {open_plan[:12]} is not finished: execute that one first")
            return _Execution(settings, open_plan, keep_run, on_step).go_on()
        plan = plans.find(settings, plan_sha256)
        if plan.blocked:
            raise NotDone(plan.blocked[0])
        given = approvals.given(settings, plan.sha256)
        actor = environment.current_user()
        if lacking := approvals_lacking(plan.body, given, approvals.keys(settings), actor):
            raise NotDone(": ".join(lacking[:2]))
        execution = _Execution(settings, plan.sha256, keep_run, on_step)
        if (waiting := execution.return_first(plan, receipt)) is not None:
            return waiting
        execution.begin(plan, given, actor)
        return execution.go_on()


class _Execution:
    """One execution and its folder."""

    def __init__(self, settings: Settings, plan_sha256: str, keep_run: str | None, on_step: Step) -> None:
        self.settings = settings
        self.plan_sha256 = plan_sha256
        self.folder = settings.retention / "executions" / plan_sha256
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.keep_run = keep_run
        self.on_step = on_step

    def return_first(self, plan: Plan, receipt: Path | None) -> dict[str, Any] | None:
        """Deliver what is returned, take its receipt; what to report while that is waited for, else None."""
        returned = {one["agreement"] for one in plan.body["datasets"] if one["disposition"] == "return"}
        path = self.folder / "returned.json"
        done: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        for agreement in sorted(returned - set(done)):
            self.on_step(f"deliver {agreement}")
            shas = {
                (one["feed"], batch["sha256"])
                for one in plan.body["datasets"]
                if one["agreement"] == agreement
                for batch in one["batches"]
            }
            held = [one for one in plan.held if (one.feed, one.sha256) in shas]
            done[agreement] = returning.deliver(self.settings, self.folder, plan.sha256, agreement, held)
            self._journal("delivered", agreement=agreement)
            write_json(path, done)
            if receipt is None:
                return {"state": "delivered", "plan": plan.sha256, "returned": done[agreement]}
        for agreement in sorted(returned):
            # A receipt that was handed over is of the one agreement that it names.
            own = receipt if receipt and (len(returned) == 1 or _named(receipt) == agreement) else None
            done[agreement]["receipt"] = returning.receipt(done[agreement], own)
        if returned:
            write_json(path, done)
        return None

    def begin(self, plan: Plan, given: list[dict[str, Any]], actor: str) -> None:
        """Everything up to the point of no return."""
        self._journal("begun")
        self.on_step("make the release without it")
        if withdrawal.is_withdrawal(plan.body):
            release_id = generation.make(
                self.settings, self.folder, (), lambda aside: withdrawal.seal_anew(self.settings, plan, aside)
            )
        else:
            release_id = generation.make(self.settings, self.folder, plan.held)
        self.on_step("list what will go")
        inventory = list(self._inventory(plan))
        write_json(self.folder / "inventory.json", inventory)
        write_json(
            self.folder / "facts.json",
            {
                "plan": plan.body,
                "approvals": given,
                "executed_by": actor,
                "started_at": _now(),
                "release_before": [folder.name for folder in releases.kept(self.settings)],
                "release_after": release_id or None,
                "generation": self.settings.generation,
                "copies_covered": [
                    {"zone": one["zone"], "files": one["files"], "bytes": one["bytes"]}
                    for one in holdings.by_zone(self.settings)
                ],
                **certificates.next_link(self.settings),
            },
        )
        audit.record(self.settings, "destroy", f"end {plan.body['end']['id']}", plan=plan.sha256, files=len(inventory))
        replace_with(self.settings.retention / "open", plan.sha256.encode())
        self._journal("committed")

    def go_on(self) -> dict[str, Any]:
        """Everything after the point of no return; steps that were done are done again where they may be unfinished."""
        facts = json.loads((self.folder / "facts.json").read_text())
        steps = [
            ("switched", self._switch),
            ("keys", self._destroy_keys),
            ("files", self._destroy_files),
            ("certified", self._certify),
        ]
        for name, step in steps:
            if name not in self._done():
                self.on_step(name)
                step(facts)
                self._journal(name)
        destroy_file(self.settings.retention / "open")
        path = self.settings.certificates / f"{_certificate_id(facts['plan'], self.plan_sha256)}.json"
        body = json.loads(path.read_text())["body"]
        return {
            "state": "certified",
            "plan": self.plan_sha256,
            "certificate": str(path),
            "release_id": facts["release_after"],
            "files_destroyed": len(body["inventory"]),
            "keys_destroyed": len(body["keys_destroyed"]),
            "verification": body["verification"],
        }

    def _switch(self, facts: dict[str, Any]) -> None:
        generation.switch(self.settings, self.folder, facts["release_after"] or "")

    def _destroy_keys(self, facts: dict[str, Any]) -> None:
        plan = facts["plan"]
        names = sorted({key for one in plan["datasets"] for key in one["keys"]} | set(plan["keys"]))
        entries = KeyStore(self.settings).destroy(names, f"end {plan['end']['id']}")
        for backup in plan["backups"]:
            folder = Path(backup["location"].removeprefix("file://"))
            if backup["of"] == "keys" and folder.is_dir():
                for name in names:
                    for path in folder.rglob(KeyStore(self.settings).path(name).name):
                        destroy_file(path)
        told = [
            {"key": one["key"], "fingerprint": one["fingerprint"], "algorithm": one["algorithm"],
             "wrapped_by": one["wrapped_by"], "destroyed_at": one["at"]}
            for one in entries
        ]  # fmt: skip
        write_json(self.folder / "keys.json", told)

    def _destroy_files(self, facts: dict[str, Any]) -> None:
        settings = self.settings
        is_withdrawal = withdrawal.is_withdrawal(facts["plan"])
        if is_withdrawal:
            aside = Settings(home=self.folder / generation.NEXT, keys=settings.keys)
            withdrawal.put_in_place(settings, facts["plan"], aside)
        destroy_folder(self.folder / generation.OLD)
        destroy_folder(self.folder / generation.NEXT)
        destroy_folder(self.folder / "package")
        for one in facts["plan"]["datasets"] if not is_withdrawal else []:
            for batch in one["batches"]:
                held = Held(one["feed"], batch["sha256"], settings.landing / one["feed"] / batch["sha256"], settings)
                destroy_folder(held.folder)
                destroy_file(held.quarantine_path)
        for release in facts["release_before"]:
            destroy_folder(settings.published / release)
        for zone in ("dbt", "tmp"):
            destroy_folder(settings.home / zone)
            (settings.home / zone).mkdir(mode=0o700)
        dagster_store.forget(settings, self.keep_run)
        Landing(settings).clear_unfinished()

    def _certify(self, facts: dict[str, Any]) -> None:
        plan = facts["plan"]
        returned = self.folder / "returned.json"
        body = {
            "format": plans.FORMAT,
            "certificate_id": _certificate_id(plan, self.plan_sha256),
            "number": facts["number"],
            "previous": facts["previous"],
            "plan": plan,
            "plan_sha256": self.plan_sha256,
            "approvals": facts["approvals"],
            "requested_by": plan["requested_by"],
            "approved_by": [one["approver"] for one in facts["approvals"]],
            "executed_by": facts["executed_by"],
            "started_at": facts["started_at"],
            "ended_at": _now(),
            "inventory": json.loads((self.folder / "inventory.json").read_text()),
            "keys_destroyed": json.loads((self.folder / "keys.json").read_text()),
            "method": METHOD,
            "copies_covered": facts["copies_covered"],
            "return": json.loads(returned.read_text()) if returned.exists() else None,
            "release_before": facts["release_before"],
            "release_after": facts["release_after"],
            "residual": plan["remains"],
            "backups": plan["backups"],
            "audit_head": audit.head(self.settings),
            "store": {"generation": self.settings.generation},
        }
        body["verification"] = self._verified(body)
        path = certificates.publish(self.settings, body)
        audit.record(
            self.settings, "certify", f"end {plan['end']['id']}", certificate=body["certificate_id"],
            digest=digest(body), passed=body["verification"]["passed"], file=path.name,
        )  # fmt: skip

    def _verified(self, body: dict[str, Any]) -> dict[str, Any]:
        """What the verifier, a program of its own, finds of the outcome."""
        path = self.folder / "body.json"
        write_json(path, body)
        here = self.settings
        done = subprocess.run(
            [sys.executable, "-m", "retention_verifier", "--body", str(path), "--home", str(here.home),
             "--keys", str(here.keys), "--governance", str(environment.governance()), "--json"],
            cwd=PROJECT_ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        destroy_file(path)
        try:
            told = json.loads(done.stdout)
        except ValueError:
            told = {"passed": False, "reasons": [{"check": "verifier", "where": "", "what": "it did not run"}]}
        return {
            "method": "retention_verifier: every file of every zone, every database and key that opens",
            "scope": "full",
            "passed": told["passed"],
            "findings": told["reasons"],
            "looked_at": told.get("looked_at", {}),
        }

    def _inventory(self, plan: Plan) -> Iterator[dict[str, Any]]:
        """Every file that will go, with its digest; not those whose very bytes belong to what stays."""
        if withdrawal.is_withdrawal(plan.body):
            replaced = list(withdrawal.files_that_go(self.settings, plan))
            going = {path for _, path in replaced}
            for zone, path in replaced:
                if zone not in LISTED:
                    yield self._listed(zone, path, holdings.sha256(path))
        else:
            going = {one.folder for one in plan.held} | {one.quarantine_path for one in plan.held}
        stay = {holdings.sha256(path) for path in (self.folder / generation.NEXT).rglob("*") if path.is_file()}
        for zone in LISTED:
            for found in holdings.files(self.settings, zone):
                if zone in ("landing", "quarantine") and not going & {found.path, found.path.parent}:
                    continue
                told = holdings.sha256(found.path)
                if told not in stay:
                    yield self._listed(zone, found.path, told)

    def _listed(self, zone: str, path: Path, sha256: str) -> dict[str, Any]:
        there = str(path.relative_to(self.settings.home))
        return {"zone": zone, "path": there, "bytes": path.stat().st_size, "sha256": sha256}

    def _done(self) -> set[str]:
        """Steps done since the point of no return."""
        path = self.folder / "journal.jsonl"
        lines = [json.loads(line)["step"] for line in path.read_text().splitlines()] if path.exists() else []
        since = len(lines) - 1 - lines[::-1].index("begun") if "begun" in lines else 0
        return set(lines[since:])

    def _journal(self, step: str, **facts: str) -> None:
        entry = {"at": _now(), "step": step, "by": environment.current_user(), **facts}
        append_line(self.folder / "journal.jsonl", json.dumps(entry))


def _certificate_id(plan: dict[str, Any], plan_sha256: str) -> str:
    return f"{plan['end']['id']}-{plan_sha256[:12]}"


def _named(receipt: Path) -> str | None:
    """The agreement that a receipt names; None for what is no receipt."""
    try:
        found = json.loads(receipt.read_text())
    except (OSError, ValueError):
        return None
    return str(found.get("agreement")) if isinstance(found, dict) else None


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
