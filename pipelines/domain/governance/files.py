"""The six files of governance records: their shapes, and one line for whatever is wrong in or between them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from pipelines.domain.governance.agreements import AgreementsFile
from pipelines.domain.governance.bases import BasesFile
from pipelines.domain.governance.events import Approver, ApproversFile, BackupsFile, EventsFile, HoldsFile
from pipelines.domain.governance.parts import Ungoverned
from pipelines.domain.governance.register import Register
from pipelines.domain.strict import Strict

FILES: dict[str, type[Strict]] = {
    "agreements": AgreementsFile,
    "legal_bases": BasesFile,
    "policy_events": EventsFile,
    "holds": HoldsFile,
    "approvers": ApproversFile,
    "backups": BackupsFile,
}
# What a list holds, for messages.
ONE_OF = {
    "purposes": "purpose",
    "agreements": "agreement",
    "legal_bases": "legal basis",
    "policies": "policy",
    "events": "event",
    "holds": "hold",
    "approvers": "approver",
    "backups": "backup",
    "intervals": "interval",
}


def read(records: Mapping[str, Any], feeds: Collection[str]) -> Register:
    """The register from the content of its files (by name, without `.yaml`) and the names of the declared feeds.

    Raises `Ungoverned` with one line that names file, record and field; when more is wrong it says how much.
    """
    wrong: list[str] = []
    parsed: dict[str, Any] = {}
    for name, shape in FILES.items():
        if name not in records:
            wrong.append(f"governance/{name}.yaml is missing")
            continue
        try:
            parsed |= {key: value for key, value in shape.model_validate(records[name])}
        except ValidationError as error:
            wrong += _told(name, records[name], error)
    if not wrong:
        register = Register(**parsed)
        wrong = list(dict.fromkeys(_problems(register, feeds)))
    if wrong:
        raise Ungoverned(wrong[0] + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""))
    return register


def _told(name: str, content: Any, error: ValidationError) -> Iterator[str]:
    """What is wrong in one file, in its own words: the entry by its id, then the field."""
    for one in error.errors():
        place: list[str] = []
        within = content
        for part in one["loc"]:
            if isinstance(part, int):
                within = within[part] if isinstance(within, (list, tuple)) and part < len(within) else None
                told = within.get("id") or within.get("from") if isinstance(within, dict) else None
                place[-1:] = [f"{ONE_OF.get(place[-1], place[-1])} {told or f'number {part + 1}'}"]
            else:
                within = within.get(part) if isinstance(within, dict) else within
                place.append(part)
        if one["type"] == "missing":
            field = place.pop()
            said = f"lacks {field}"
        elif one["type"] == "extra_forbidden":
            field = place.pop()
            said = f"{field} is no field of it"
        else:
            said = one["msg"].removeprefix("Value error, ")
            said = said[0].lower() + said[1:]
        yield f"governance/{name}.yaml: " + "".join(f"{part}: " for part in place) + said


def _problems(register: Register, feeds: Collection[str]) -> Iterator[str]:
    """Ids that are given twice, and references that lead nowhere."""
    for name, shape in FILES.items():
        for key in shape.model_fields:
            if key != "approvers":
                entries = getattr(register, key)
                yield from (f"governance/{name}.yaml: {line}" for line in _given_twice(ONE_OF[key], entries))
    bases = {one.id for one in register.legal_bases}
    policies = {one.id for one in register.policies}
    agreements = {one.id: one for one in register.agreements}
    for agreement in register.agreements:
        told = f"governance/agreements.yaml: agreement {agreement.id}: "
        if agreement.purpose not in {one.id for one in register.purposes}:
            yield f"{told}purpose: {agreement.purpose} is not among the purposes"
        yield from (f"{told}datasets: {line}" for line in _unknown(agreement.datasets, feeds, "no declared feed"))
        yield from (f"{told}datasets: {feed} stands there twice" for feed in _twice(agreement.datasets))
        yield from (f"{told}legal_bases: {line}" for line in _unknown(agreement.legal_bases, bases, "no legal basis"))
        disposition = agreement.disposition
        if disposition.basis and disposition.basis not in bases:
            yield f"{told}disposition: basis: {disposition.basis} is no legal basis"
        if disposition.trigger and disposition.trigger.policy not in policies:
            yield f"{told}disposition: trigger: {disposition.trigger.policy} is no policy of policy_events.yaml"
    for event in register.events:
        told = f"governance/policy_events.yaml: event {event.id}: "
        if event.policy not in policies:
            yield f"{told}policy: {event.policy} is not among the policies"
        yield from (f"{told}agreements: {one}" for one in _unknown(event.agreements or (), agreements, "no agreement"))
        if event.feeds:
            named = event.agreements or list(agreements)
            covered = {feed for one in named if one in agreements for feed in agreements[one].datasets}
            yield from (f"{told}feeds: {one}" for one in _unknown(event.feeds, covered, "no dataset of its agreements"))
    for hold in register.holds:
        told = f"governance/holds.yaml: hold {hold.id}: "
        if hold.agreement not in agreements:
            yield f"{told}agreement: {hold.agreement} is no agreement"
        elif hold.feeds:
            covered = set(agreements[hold.agreement].datasets)
            yield from (f"{told}feeds: {one}" for one in _unknown(hold.feeds, covered, "no dataset of its agreement"))
    yield from (f"governance/approvers.yaml: {line}" for line in _same_approver(register.approvers))


def _same_approver(approvers: tuple[Approver, ...]) -> Iterator[str]:
    """An approver may come back, or get another key, in a row of later days; a key is one person's alone."""
    for place, one in enumerate(approvers):
        for other in approvers[:place]:
            if one.id != other.id and one.key == other.key:
                yield f"approver {one.id}: public_key is that of {other.id}: each has their own"
            if one.id == other.id and (other.holds(one.from_) or one.holds(other.from_)):
                yield f"approver {one.id}: id is given twice for days from {max(one.from_, other.from_)}"


def _unknown(names: Iterable[str], known: Collection[str], what: str) -> Iterator[str]:
    return (f"{name} is {what}" for name in names if name not in known)


def _given_twice(kind: str, entries: Iterable[Any]) -> Iterator[str]:
    return (f"{kind} {name}: id is given twice" for name in _twice([entry.id for entry in entries]))


def _twice(names: Collection[str]) -> list[str]:
    listed = list(names)
    return [name for name in dict.fromkeys(listed) if listed.count(name) > 1]
