"""Tests of work in a thread beside the caller's own."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from dbt_statsig.support.threads import begun


def test_work_goes_on_beside_the_caller() -> None:
    """It begins at once, in another thread; its outcome can be asked for as often as one likes."""
    caller, entered = threading.get_ident(), threading.Event()

    def work() -> int:
        entered.set()
        return threading.get_ident()

    outcome = begun(work)
    assert entered.wait(10)
    assert outcome() == outcome() != caller


def test_its_error_is_raised_where_the_outcome_is_asked_for() -> None:
    """The work's own exception comes out of the call, whatever it is; unasked for, nobody hears of it."""

    def work() -> None:
        raise KeyboardInterrupt("from beside")

    begun(work)
    with pytest.raises(KeyboardInterrupt, match="from beside"):
        begun(work)()


def test_the_program_ends_without_it() -> None:
    """Work that never ends does not keep the program alive."""
    code = """if True:
        import threading
        from dbt_statsig.support.threads import begun
        begun(lambda: threading.Event().wait(60))
        print(1)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")
