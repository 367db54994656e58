"""The plan of an end: what goes, under which keys it lies, what stays and why. It says; it never acts.

A plan follows from the governance records and from what the store holds, and from nothing else: the same again is the
same plan, and one batch more or less is another, whose approvals are to be given anew.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.adapters import catalogue
from pipelines.adapters.files import write_json
from pipelines.adapters.keys import DERIVED, INTERNAL_TIER, PSEUDONYM, KeyStore, batch_name
from pipelines.adapters.landing import Held, Landing
from pipelines.domain.governance import Agreement, End
from pipelines.domain.retention import NotDone, canonical, dataset_id, digest, place_in_period, public_text
from pipelines.retention import certificates, holdings, lineage
from pipelines.settings import Settings, today

FORMAT = 1
# What outlives every dataset, and on which ground: one must be able to show that the rest is gone.
ACCOUNTABILITY = "accountability, UK GDPR article 5(2); it holds no personal value"
REMAINS = (
    {"what": "audit trail: who did what and when, by names of feeds, digests and counts", "basis": ACCOUNTABILITY},
    {"what": "plan, approvals, certificate, receipts", "basis": ACCOUNTABILITY},
    {"what": "key register: names and fingerprints of keys, no key", "basis": ACCOUNTABILITY},
)


@dataclass(frozen=True)
class Plan:
    """A plan: `body` is what is signed, `held` the batches that it is about, `blocked` what stands in its way."""

    body: dict[str, Any]
    held: tuple[Held, ...]
    blocked: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """What approvers sign."""
        return digest(self.body)

    @property
    def agreements(self) -> set[str]:
        """The agreements under which something ends."""
        return {one["agreement"] for one in self.body["datasets"]}


@dataclass(frozen=True)
class Part:
    """The batches of one dataset of an end."""

    agreement: Agreement
    feed: str
    first: dt.date | None
    last: dt.date | None
    held: list[Held]

    @property
    def dataset(self) -> str:
        """Its id."""
        return dataset_id(self.feed, self.agreement.id, self.first, self.last)


def pending(settings: Settings) -> list[Plan]:
    """The plan of every end that has come and is not certified yet, by date; then those of persons who withdrew."""
    from pipelines.retention import withdrawal

    certified = [one["body"]["plan"] for one in certificates.read_all(settings)]
    done = {(plan["end"]["id"], dataset["dataset"]) for plan in certified for dataset in plan["datasets"]}
    ends = [make(settings, end, done) for end in catalogue.register().ends(today())]
    return [*(plan for plan in ends if plan.body["datasets"] or plan.blocked), *withdrawal.pending(settings)]


def make(settings: Settings, end: End, done: Collection[tuple[str, str]] = ()) -> Plan:
    """The plan of an end as the store is now, without the datasets (by end and id) that are certified already.

    A dataset under a hold stays, and is planned again once that is released. Writes nothing but the store's signing key
    on first use.
    """
    register = catalogue.register()
    parts, blocked, kept, holds = [], [], [], []
    for agreement_id, feed, first, last in end.datasets:
        agreement, what = register.agreement(agreement_id), dataset_id(feed, agreement_id, first, last)
        if (end.id, what) in done:
            continue
        if agreement.disposition.action == "retain":
            kept.append({"what": what, "basis": str(agreement.disposition.basis)})
            continue
        if hold := next(iter(register.holds_on(feed, agreement_id, today())), None):
            holds.append({"dataset": what, "hold": hold.id})
            kept.append({"what": what, "basis": f"hold {hold.id}: {hold.authority}, {hold.reference}"})
            continue
        held = []
        for one in holdings.batches(settings, feed, agreement_id):
            place = place_in_period(one.manifest, first, last)
            if place == "within" or (place == "across" and end.whole_batches):
                held.append(one)
            elif place == "across":
                blocked.append(
                    f"{feed}/{agreement_id}: batch {one.sha256[:12]} holds other days too and cannot be cut: end a "
                    "period that ends with it, or say whole_batches in the end's record"
                )
        parts.append(Part(agreement, feed, first, last, held))
        inbox = settings.inbox / feed
        if inbox.is_dir() and any(inbox.iterdir()):
            blocked.append(f"{feed}: a file waits in the inbox: take it out, it was never received")
    if holds and not parts:
        blocked.append(f"all that ended is held: {', '.join(sorted({one['hold'] for one in holds}))}")
    going = [one for part in parts for one in part.held]
    body = {
        "format": FORMAT,
        "end": as_json(end),
        "requested_by": end.requested_by,
        "governance_sha256": digest([as_json(part.agreement) for part in parts]),
        "signing_key": public_text(KeyStore(settings).signing()),
        "datasets": [_dataset(settings, part, going) for part in parts],
        "remains": [*kept, *REMAINS],
        "losses": lineage.losses(_whole_feeds(settings, going), sorted({one.feed for one in going})),
        "holds": holds,
        "backups": [backup_row(one) for one in register.backups],
        "keys": _shared_keys(settings, going),
    }
    return Plan(json.loads(canonical(body)), tuple(going), tuple(blocked))


def keep(settings: Settings, plan: Plan) -> Path:
    """Keep a plan that has something to do, so that it can be approved; returns its folder."""
    folder = settings.retention / "plans" / plan.sha256
    write_json(folder / "plan.json", plan.body)
    return folder


def find(settings: Settings, told: str) -> Plan:
    """The plan whose hash begins so, if it still is what the store would plan. Raises `NotDone`."""
    folders = [path for path in (settings.retention / "plans").glob(f"{told}*") if len(told) >= 8]
    if len(folders) != 1:
        raise NotDone("no plan has that hash: `datastore retention plan` prints the hash of each")
    end_id = json.loads((folders[0] / "plan.json").read_text())["end"]["id"]
    found = next((plan for plan in pending(settings) if plan.body["end"]["id"] == end_id), None)
    if found is None:
        raise NotDone(f"end {end_id} is executed already, or its record is gone: `datastore retention plan` says")
    if found.sha256 != folders[0].name:
        raise NotDone(
            f"the plan of end {end_id} has changed since {folders[0].name[:12]} and its approvals no longer count: "
            "run `datastore retention plan` and approve the new one"
        )
    return found


def _dataset(settings: Settings, part: Part, going: Sequence[Held]) -> dict[str, Any]:
    agreement = part.agreement
    feed_key = f"feed.{part.feed}.{agreement.id}"
    stay = set(holdings.batches(settings, part.feed, agreement.id)) - set(going)
    keys = [batch_name(one.feed, one.sealed_as) for one in part.held]
    return {
        "dataset": part.dataset,
        "feed": part.feed,
        "agreement": agreement.id,
        "clause": agreement.clause,
        "controller": agreement.controller,
        "disposition": agreement.disposition.action,
        "from": part.first.isoformat() if part.first else None,
        "to": part.last.isoformat() if part.last else None,
        "batches": [batch_row(one) for one in part.held],
        "held": holdings.of_dataset(settings, part.held),
        # The feed's key wraps the batches' keys: it goes when no batch stays, and nothing more is to come.
        "keys": [*keys, feed_key] if not stay and not part.last and KeyStore(settings).exists(feed_key) else keys,
        "will": {
            "destroy": "the release is made anew without it, its keys are destroyed, its files overwritten",
            "return": "sealed to the controller's key and delivered; after the controller's receipt as for destroy",
        }[agreement.disposition.action],
    }


def batch_row(held: Held) -> dict[str, Any]:
    """A batch as plans list it."""
    manifest = held.manifest
    told = {name: manifest.get(name) for name in ("size_bytes", "period_start", "period_end", "received_at")}
    return {"sha256": held.sha256, "verdict": held.verdict, **told}


def _shared_keys(settings: Settings, going: Sequence[Held]) -> list[str]:
    """Keys of what was made of all datasets together: that generation is replaced, so they go whatever else stays."""
    if not going:
        return []
    keys = [f"{family}.{settings.generation}" for family in (DERIVED, INTERNAL_TIER)]
    persons = {feed.feed for feed in catalogue.feeds().values() if feed.records}
    of_persons = {one for one in Landing(settings).batches() if one.feed in persons}
    if of_persons and of_persons <= set(going):
        keys.append(PSEUDONYM)
    return [key for key in keys if KeyStore(settings).exists(key)]


def _whole_feeds(settings: Settings, going: Sequence[Held]) -> set[str]:
    """Feeds of which no accepted batch stays."""
    stay = {one.feed for one in Landing(settings).batches() if one.verdict == "accepted" and one not in set(going)}
    return {one.feed for one in going} - stay


def backup_row(backup: Any) -> dict[str, Any]:
    """A known backup, and what becomes of it."""
    action = {
        "data": "closed: no key in it, and those that opened it are destroyed",
        "keys": "its copies of the destroyed keys are destroyed too: here where it can be reached, else by its keeper",
    }
    return {**as_json(backup), "action": action[backup.of]}


def as_json(model: Any) -> dict[str, Any]:
    """A governance record as its row."""
    return dict(model.model_dump(mode="json", by_alias=True))
