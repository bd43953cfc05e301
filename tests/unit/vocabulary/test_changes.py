"""Actions: which of them write, touch what is there, and send an object."""

from __future__ import annotations

import pytest

from dbt_statsig.vocabulary.changes import Action

WRITES = {"create", "update", "rename", "delete"}


@pytest.mark.parametrize("action", Action)
def test_what_an_action_does(action: Action) -> None:
    """Four actions write, of which all but a creation touch what is there and all but a deletion send an object."""
    assert action.writes is (action.value in WRITES)
    assert action.touches is (action.value in WRITES - {"create"})
    assert action.sends is (action.value in WRITES - {"delete"})
    assert action.refuses is (action.value in {"foreign", "blocked"})
