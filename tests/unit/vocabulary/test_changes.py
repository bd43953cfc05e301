"""Actions: which of them write, touch what is there, and send an object."""

from __future__ import annotations

import pytest

from dbt_statsig.vocabulary.changes import Action

WRITES = {"create", "update", "rename", "delete", "archive"}
RETIRES = {"delete", "archive"}


@pytest.mark.parametrize("action", Action)
def test_what_an_action_does(action: Action) -> None:
    """Five actions write: all but a creation touch what is there, and all but the two that retire send an object."""
    assert action.writes is (action.value in WRITES)
    assert action.touches is (action.value in WRITES - {"create"})
    assert action.sends is (action.value in WRITES - RETIRES)
    assert action.retires is (action.value in RETIRES)
    assert action.refuses is (action.value in {"foreign", "blocked"})
