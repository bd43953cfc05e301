"""Ending a run from another thread."""

from __future__ import annotations

from dbt_statsig.support.threads import Brake


def test_a_brake_calls_each_thing_once() -> None:
    """What is fastened is called when the brake is pulled, once; what comes later is called at once."""
    called: list[str] = []
    brake = Brake()
    brake.fasten(lambda: called.append("first"))
    assert called == []
    brake.pull()
    brake.pull()
    assert called == ["first"]
    brake.fasten(lambda: called.append("late"))
    assert called == ["first", "late"]
