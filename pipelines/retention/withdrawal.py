"""The withdrawal of one person: their rows go from every original and from everything that was made of it.

A withdrawal is an end like any other (plan, approvals, execution, certificate) of another extent: no batch goes, some
are sealed anew without the person's rows and read again from what is left. Nothing in a plan or certificate tells who
the person is: it counts rows, and the id of the request is random.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from pipelines.adapters import audit, catalogue, withdrawals
from pipelines.adapters.files import destroy_file, lock, sync_folder, write_json
from pipelines.adapters.keys import DERIVED, INTERNAL_TIER, PSEUDONYM, KeyMissing, KeyStore, batch_name
from pipelines.adapters.landing import Held, Landing
from pipelines.adapters.persons import taking
from pipelines.adapters.persons.finding import Unfindable, find
from pipelines.adapters.persons.lines import Stream
from pipelines.adapters.persons.reading import Terms
from pipelines.adapters.persons.redaction import Cut, Person, Uncut, written
from pipelines.adapters.sealing import SealBroken, seal
from pipelines.adapters.unfinished import unfinished
from pipelines.adapters.warehouse import place
from pipelines.adapters.withdrawals import Request
from pipelines.domain.persons.numbers import nhs_number
from pipelines.domain.refusals import Refused
from pipelines.domain.retention import NotDone, canonical, dataset_id, digest, public_text
from pipelines.retention import holdings, plans
from pipelines.retention.plans import Plan
from pipelines.settings import LONDON, Settings, today

KIND = "withdrawn"
DISPOSITION = "withdraw"
WILL = "sealed anew without the rows of the person, read again; the old bytes are overwritten, their keys destroyed"
STAYS = {
    "what": "the rows of everybody else, under their agreements; manifests say how many rows were taken out",
    "basis": "the agreement of each dataset",
}


def ask(settings: Settings, number: str, authority: str, reference: str | None, requested_by: str) -> Plan:
    """Keep a request and return its plan; the plan that there is when the person asked before. Raises `NotDone`."""
    told = nhs_number(number)
    if told is None:
        raise NotDone("that is no NHS number: ten digits, of which the last checks the others (Modulus 11)")
    texts = " ".join((authority, reference or "", requested_by)).encode()
    if written(told).search(texts):
        raise NotDone("the number stands in the reference, authority or name: those are kept and published")
    with lock(settings.locks / "retention"):
        if (plan := unfinished(settings)) is not None:
            raise NotDone(f"the execution of plan {plan[:12]} is not finished: execute that one first")
        withdrawals.clear_unfinished(settings)
        same = [one for one in withdrawals.kept(settings) if one.number == told]
        request = same[0] if same else withdrawals.new(told, authority, reference, requested_by)
        try:
            request = _looked_for(settings, request)
        except Unfindable as error:
            raise NotDone(f"not every original can be looked into: {error}") from None
        if not same:
            if request.found is None or not request.found.rows:
                raise NotDone("nothing is held of this person, so nothing has to go")
            withdrawals.keep(settings, request)
            audit.record(settings, "withdraw", "requested", request=request.end_id, requested_by=requested_by)
        plan_of_it = make(settings, request)
        plans.keep(settings, plan_of_it)
        return plan_of_it


def drop(settings: Settings, end_id: str) -> None:
    """Forget a request that is not to be executed. Raises `NotDone`."""
    with lock(settings.locks / "retention"):
        found = [one for one in withdrawals.kept(settings) if one.end_id == end_id]
        if not found or unfinished(settings) is not None:
            raise NotDone(f"no request {end_id} waits: `datastore retention plan` lists those that do")
        audit.record(settings, "withdraw", "dropped", request=end_id)
        withdrawals.drop(settings, found[0].id, f"request {end_id} dropped")


def pending(settings: Settings) -> list[Plan]:
    """The plan of every request that is not executed."""
    return [make(settings, request) for request in withdrawals.kept(settings)]


def make(settings: Settings, request: Request) -> Plan:
    """The plan of a request as the store is now. Looks through the originals when something came since it did."""
    register = catalogue.register()
    blocked: list[str] = []
    rows: dict[tuple[str, str], int | None] = {}
    try:
        looked = _looked_for(settings, request)
        if looked is not request:
            withdrawals.keep(settings, looked)
        rows = looked.found.by_batch() if looked.found else {}
        if not rows:
            blocked.append(
                f"nothing is held of the person any more: datastore retention withdraw --drop {looked.end_id}"
            )
    except (KeyMissing, SealBroken, Unfindable) as error:
        blocked.append(f"not every original can be looked into: {error}")
    parts: dict[tuple[str, str], list[Held]] = {}
    for held in Landing(settings).batches():
        if (held.feed, held.sha256) in rows:
            parts.setdefault((held.feed, str(held.manifest["agreement"])), []).append(held)
    for feed, agreement in sorted(parts):
        if hold := register.holds_on(feed, agreement, today()):
            blocked.append(f"{feed}/{agreement}: hold {hold[0].id} ({hold[0].authority}, {hold[0].reference})")
    for feed, declared in catalogue.feeds().items():
        inbox = settings.inbox / feed
        if declared.records and inbox.is_dir() and any(inbox.iterdir()):
            blocked.append(f"{feed}: a file waits in the inbox: have it received first, or take it out")
    generation = [f"{family}.{settings.generation}" for family in (DERIVED, INTERNAL_TIER)]
    body = {
        "format": plans.FORMAT,
        "end": {
            "id": request.end_id, "date": request.date, "known_from": request.date, "kind": KIND,
            "authority": request.authority, "reference": request.reference, "requested_by": request.requested_by,
        },
        "requested_by": request.requested_by,
        "governance_sha256": digest([_agreement(agreement) for _, agreement in sorted(parts)]),
        "signing_key": public_text(KeyStore(settings).signing()),
        "datasets": [_dataset(settings, *of, held, rows) for of, held in sorted(parts.items())],
        "remains": [STAYS, *plans.REMAINS],
        "losses": [],
        "holds": [],
        "backups": [plans.backup_row(one) for one in register.backups],
        "keys": [*(key for key in generation if KeyStore(settings).exists(key)), request.key_name],
    }  # fmt: skip
    going = tuple(one for _, held in sorted(parts.items()) for one in held)
    return Plan(json.loads(canonical(body)), going, tuple(blocked))


def is_withdrawal(body: dict[str, Any]) -> bool:
    """Whether a plan is of a withdrawal."""
    return bool(body["end"]["kind"] == KIND)


def files_that_go(settings: Settings, plan: Plan) -> Iterator[tuple[str, Path]]:
    """What is overwritten besides what every end overwrites: the sealed originals that are replaced, the request."""
    for held in plan.held:
        yield "landing", held.folder / "original"
    yield "retention", withdrawals.path(settings, _request_id(plan.body))


def seal_anew(settings: Settings, plan: Plan, aside: Settings) -> set[Held]:
    """Make the batches of a plan anew in the store `aside`, without the person's rows; returns those of the store.

    Raises `NotDone` when that is not what was planned.
    """
    request = next((one for one in withdrawals.kept(settings) if one.end_id == plan.body["end"]["id"]), None)
    if request is None or request.found is None:
        raise NotDone("the request is gone: ask for it again (datastore retention withdraw)")
    found = request.found
    person = Person(request.number, KeyStore(settings).get(PSEUDONYM), set(found.records), set(found.marks))
    planned = {
        (one["feed"], batch["sha256"]): batch["rows"] for one in plan.body["datasets"] for batch in one["batches"]
    }
    for held in plan.held:
        try:
            _seal_anew(settings, aside, held, person, request.end_id, planned[held.feed, held.sha256])
        except (Refused, Uncut, OSError) as error:
            raise NotDone(
                f"{held.feed}: batch {held.sha256[:12]} cannot be made without the rows ({type(error).__name__}); "
                "nothing was taken out"
            ) from None
    return set(plan.held)


def made_keys(aside: Settings) -> list[str]:
    """The keys of what was sealed anew in a store that was made aside."""
    manifests = [path for path in aside.landing.glob("*/*/manifest.json") if not path.parent.is_symlink()]
    told = [json.loads(path.read_text()) for path in manifests]
    return [batch_name(one["feed"], one["redacted"]["sealed_as"]) for one in told]


def put_in_place(settings: Settings, plan: dict[str, Any], aside: Settings) -> None:
    """Overwrite the old originals and put the new ones there, and destroy the request. Can be done again."""
    for dataset in plan["datasets"]:
        for batch in dataset["batches"]:
            here, new = (one.landing / dataset["feed"] / batch["sha256"] for one in (settings, aside))
            if (new / "original").exists():
                destroy_file(here / "original")
                os.rename(new / "original", here / "original")
            for name in ("checks.json", "manifest.json"):
                if (new / name).exists():
                    os.replace(new / name, here / name)
            sync_folder(here)
    destroy_file(withdrawals.path(settings, _request_id(plan)))


def _seal_anew(settings: Settings, aside: Settings, held: Held, person: Person, end_id: str, rows: int | None) -> None:
    feed = catalogue.feeds()[held.feed]
    manifest = held.manifest
    there = Held(held.feed, held.sha256, aside.landing / held.feed / held.sha256, aside)
    there.folder.mkdir(parents=True, mode=0o700)
    cut = Cut(feed, Landing(settings).source(held), person)
    source = io.BytesIO() if rows is None else Stream(cut)
    with (there.folder / "original").open("xb") as target:
        secret, now, size = seal(cast(BinaryIO, source), target)
        target.flush()
        os.fsync(target.fileno())
    if rows is not None and cut.rows != rows:
        raise NotDone(f"{held.feed}: batch {held.sha256[:12]} holds other rows than planned: plan again")
    before = manifest.get("redacted", {"ends": [], "rows": 0})
    sealed_as = f"{held.sha256}.{len(before['ends']) + 2}"
    told = {
        "ends": [*before["ends"], end_id], "rows": before["rows"] + cut.rows,
        "sha256": now, "size_bytes": size, "sealed_as": sealed_as,
    }  # fmt: skip
    # The manifest names the key before there is one, so that a killed execution leaves none that is not known.
    write_json(there.folder / "manifest.json", {**manifest, "redacted": told})
    keys = KeyStore(settings)
    keys.keep_batch(held.feed, sealed_as, secret, keys.get(str(manifest["wrapping_key"])))
    if (held.folder / "checks.json").exists():
        shutil.copyfile(held.folder / "checks.json", there.folder / "checks.json")
    if held.verdict == "accepted":
        _read_again(there, person)


def _read_again(there: Held, person: Person) -> None:
    """The accepted rows of what is left, read as the file was when it came."""
    feed, manifest = catalogue.feeds()[there.feed], there.manifest
    received_on = dt.datetime.fromisoformat(manifest["received_at"]).astimezone(LONDON).date()
    basis = catalogue.register().in_force(feed, received_on, str(manifest["agreement"]))
    terms = Terms(received_on, basis is not None and basis.test_numbers_only)
    rows = there.accepted_path.with_name(f".{there.sha256}")
    source = Landing(there.settings).source(there)
    taken = taking.take(there.settings, feed, source, there.sha256, person.key, terms, rows)
    place(rows, there.accepted_path)
    days = {"period_start": taken.first_submission, "period_end": taken.last_submission}
    there.record(
        row_count=taken.accepted,
        rejected=taken.rejected,
        **{name: day.isoformat() for name, day in days.items() if day is not None},
    )


def _looked_for(settings: Settings, request: Request) -> Request:
    found = find(settings, request.number, request.found)
    return request if found is request.found else replace(request, found=found)


def _dataset(
    settings: Settings, feed: str, agreement_id: str, held: list[Held], rows: dict[tuple[str, str], int | None]
) -> dict[str, Any]:
    agreement = catalogue.register().agreement(agreement_id)
    return {
        "dataset": dataset_id(feed, agreement_id, None, None),
        "feed": feed,
        "agreement": agreement_id,
        "clause": agreement.clause if agreement else None,
        "controller": agreement.controller if agreement else None,
        "disposition": DISPOSITION,
        "from": None,
        "to": None,
        "batches": [{**plans.batch_row(one), "rows": rows[one.feed, one.sha256]} for one in held],
        "held": holdings.of_dataset(settings, held),
        "keys": [batch_name(one.feed, one.sealed_as) for one in held],
        "will": WILL,
    }


def _agreement(agreement_id: str) -> Any:
    found = catalogue.register().agreement(agreement_id)
    return plans.as_json(found) if found else None


def _request_id(plan: dict[str, Any]) -> str:
    return str(plan["end"]["id"]).removeprefix(withdrawals.PREFIX)
