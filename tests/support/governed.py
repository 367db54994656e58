"""Governance records for tests: small ones in memory, and a folder of the checkout's own with something changed."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from pipelines.domain.governance import Register, read
from pipelines.settings import GOVERNANCE

FEEDS = ("ae_monthly", "apc_spells", "ecds_attendances")
KEYS = ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")
RECIPIENT = "age1" + "q" * 58

# Two agreements: statistics that stay, and patients' records that rest on the notices and then on an approval.
RECORDS: dict[str, dict[str, list[dict[str, Any]]]] = yaml.safe_load("""
agreements:
  purposes:
    - {id: response, title: Plan care}
  agreements:
    - id: statistics
      title: Reuse
      controller: NHS England
      parties: [NHS England, the operator]
      clause: Anyone may copy
      purpose: response
      datasets: [ae_monthly]
      legal_bases: [licence]
      dpia: {reference: DPIA-1, outcome: counts only}
      disposition: {action: retain, basis: licence, trigger: {policy: emergency}}
    - id: patients
      title: Records
      controller: A trust
      processors: [the operator]
      parties: [A trust, the operator]
      clause: Clause 7
      purpose: response
      datasets: [apc_spells, ecds_attendances]
      legal_bases: [notices, approval]
      dpia: {reference: DPIA-2, outcome: pseudonymised}
      disposition: {action: destroy, trigger: {policy: emergency}, deadline_days: 30}
legal_bases:
  legal_bases:
    - id: licence
      title: Licence
      citation: OGL
      opt_outs_apply: false
      test_numbers_only: false
      intervals:
        - {from: 2010-01-01, known_from: 2010-01-01}
    - id: notices
      title: Notices
      citation: Regulation 3(4)
      opt_outs_apply: false
      test_numbers_only: false
      intervals:
        - {from: 2020-03-20, to: 2020-09-30, known_from: 2020-03-20}
        - {from: 2020-10-01, to: 2021-03-31, known_from: 2020-07-29}
    - id: approval
      title: Approval
      citation: Regulation 5
      opt_outs_apply: true
      test_numbers_only: false
      intervals:
        - {from: 2021-02-01, to: 2021-12-31, known_from: 2021-02-15}
policy_events:
  policies:
    - {id: emergency, title: The emergency}
  events:
    - {id: E0, date: 2020-01-30, known_from: 2020-01-30, policy: emergency, kind: declared, authority: A,
       reference: B}
holds: {holds: []}
approvers: {approvers: []}
backups: {backups: []}
""")


def records(change: Callable[[dict[str, Any]], object] = lambda records: None) -> dict[str, Any]:
    """The records as their files hold them, changed."""
    made = copy.deepcopy(RECORDS)
    change(made)
    return made


def register(change: Callable[[dict[str, Any]], object] = lambda records: None) -> Register:
    """The register of the records, changed."""
    return read(records(change), FEEDS)


def end(**row: Any) -> dict[str, Any]:
    """A row of policy_events.yaml that ends the emergency on 1 July 2021, changed."""
    told = {
        "id": "E9",
        "date": "2021-07-01",
        "known_from": "2021-06-01",
        "policy": "emergency",
        "kind": "ended",
        "authority": "Secretary of State",
        "reference": "Letter of 1 June",
        "requested_by": "A. Officer",
    }
    return {**told, **row}


def folder(target: Path, change: Callable[[dict[str, Any]], object] = lambda records: None) -> str:
    """A copy of the checkout's records, changed; the path as `DATASTORE_GOVERNANCE` takes it."""
    shutil.copytree(GOVERNANCE, target, dirs_exist_ok=True)
    made = {path.stem: yaml.safe_load(path.read_text()) for path in target.glob("*.yaml")}
    change(made)
    for name, content in made.items():
        (target / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return str(target)
