"""What may name a person is never declared as kept."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipelines.domain.persons.declaration import PersonColumn


@pytest.mark.parametrize("keep", ["itself", "instant", "instant_and_date"])
def test_a_direct_identifier_is_not_kept_as_it_came(keep: str) -> None:
    declared = {"name": "person_name", "meaning": "A name", "sensitivity": "direct_identifier"}
    with pytest.raises(ValidationError, match="person_name"):
        PersonColumn.model_validate(declared | {"keep": keep})
    assert PersonColumn.model_validate(declared | {"keep": "dropped"}).keep == "dropped"
