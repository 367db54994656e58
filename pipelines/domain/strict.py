"""What every declaration in YAML has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A declaration in YAML: unknown keys are refused, and nothing of it changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)
