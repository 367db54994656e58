"""Agreements: under which a dataset is held, for what, and what becomes of it in the end."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from pipelines.domain.governance.parts import Id, PublicKey, Text
from pipelines.domain.strict import Strict

# A recipient of age's own kind: what is returned is encrypted to it and nobody else can open it.
AgeRecipient = Annotated[str, StringConstraints(pattern=r"^age1[02-9ac-hj-np-z]{58}$")]
Url = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9+.-]*://\S+$")]
Action = Literal["destroy", "return", "retain"]


class Purpose(Strict):
    """What the data may be used for."""

    id: Id
    title: Text


class Dpia(Strict):
    """The data protection impact assessment behind an agreement."""

    reference: Text
    outcome: Text


class Trigger(Strict):
    """What sets the disposition off: the recorded end of this policy; never a date alone."""

    policy: Id


class ReturnTo(Strict):
    """Where a returned dataset goes: encrypted to `recipient`, acknowledged with `receipt_key`."""

    recipient: AgeRecipient
    deliver_to: Url
    receipt_key: PublicKey


class Disposition(Strict):
    """What is done with a dataset when its policy has ended.

    `destroy` and `return` say what sets them off and in how many days they are due; `retain` says on which legal basis.
    """

    action: Action
    basis: Id | None = None
    trigger: Trigger | None = None
    deadline_days: int | None = Field(default=None, ge=0)
    return_to: ReturnTo | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.action == "retain") != (self.basis is not None):
            raise ValueError("basis: data that is retained, and only that, names the legal basis it is retained on")
        if (self.action == "return") != (self.return_to is not None):
            raise ValueError("return_to: data that is returned, and only that, says where to")
        if self.action != "retain":
            if self.trigger is None:
                raise ValueError(f"trigger: to {self.action}, name the policy whose end sets it off")
            if self.deadline_days is None:
                raise ValueError(f"deadline_days: to {self.action}, say within how many days of the end")
        return self


class Agreement(Strict):
    """Under which agreement datasets are held, and what becomes of them in the end.

    `datasets` are the feeds it covers. `legal_bases` are named in order of preference: of those in force on a day the
    first governs. `opt_outs`: whether people who opted out are left out `by_basis`, as the governing basis asks, or
    `always`.
    """

    id: Id
    title: Text
    controller: Text
    processors: tuple[Text, ...] = ()
    parties: tuple[Text, ...] = Field(min_length=2)
    clause: Text
    purpose: Id
    datasets: tuple[Id, ...] = Field(min_length=1)
    legal_bases: tuple[Id, ...] = Field(min_length=1)
    opt_outs: Literal["by_basis", "always"] = "by_basis"
    dpia: Dpia
    disposition: Disposition


class AgreementsFile(Strict):
    """`agreements.yaml`: purposes, and who lets us hold which datasets for them."""

    purposes: tuple[Purpose, ...]
    agreements: tuple[Agreement, ...]
