"""Ending a run from another thread."""

from __future__ import annotations

from dbt_statsig.support.threads import StopSignal


def test_a_stop_signal_calls_each_thing_once() -> None:
    """What is given to `on_stop` is called at the signal, once; what is given later is called at once."""
    called: list[str] = []
    signal = StopSignal()
    signal.on_stop(lambda: called.append("first"))
    assert called == []
    signal.stop()
    signal.stop()
    assert called == ["first"]
    signal.on_stop(lambda: called.append("late"))
    assert called == ["first", "late"]
