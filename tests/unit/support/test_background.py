"""Tests of work in a thread beside the caller's own."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from dbt_statsig.errors import ConsoleError
from dbt_statsig.support.threads import answers, in_background, side_by_side


def test_work_goes_on_beside_the_caller() -> None:
    """It begins at once, in another thread; its outcome can be asked for as often as one likes."""
    caller, entered = threading.get_ident(), threading.Event()

    def work() -> int:
        entered.set()
        return threading.get_ident()

    outcome = in_background(work)
    assert entered.wait(10)
    assert outcome.result() == outcome.result() != caller


def test_its_error_is_raised_where_the_outcome_is_asked_for() -> None:
    """The work's own exception comes out of the call, whatever it is; unasked for, nobody hears of it."""

    def work() -> None:
        raise KeyboardInterrupt("from beside")

    in_background(work)
    with pytest.raises(KeyboardInterrupt, match="from beside"):
        in_background(work).result()


def test_the_program_ends_without_it() -> None:
    """Work that never ends does not keep the program alive."""
    code = """if True:
        import threading
        from dbt_statsig.support.threads import in_background
        in_background(lambda: threading.Event().wait(60))
        print(1)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_items_are_worked_on_in_order_and_so_many_at_once() -> None:
    """No more than `at_once` are under way; one's error is its own, and what is cancelled in time is not begun."""
    go_on, under_way = threading.Event(), threading.Semaphore(0)
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        under_way.release()
        go_on.wait(10)
        return 10 // item

    futures = side_by_side(work, [1, 0, 2, 5], at_once=2)
    assert under_way.acquire(timeout=10)
    assert under_way.acquire(timeout=10)
    assert sorted(begun) == [0, 1]
    assert futures[2].cancel()
    go_on.set()
    assert [futures[0].result(10), futures[3].result(10)] == [10, 2]
    with pytest.raises(ZeroDivisionError):
        futures[1].result(10)
    assert 2 not in begun
    assert side_by_side(work, [], at_once=8) == []


def test_answers_come_in_order_with_errors_of_the_console() -> None:
    """Each item comes with its answer or its ConsoleError; another error is raised, and what waits is not begun."""
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 1:
            raise ConsoleError("no such object")
        return 10 // item

    shown = [(item, str(answer)) for item, answer in answers(work, [5, 1, 2], at_once=1)]
    assert shown == [(5, "2"), (1, "no such object"), (2, "5")]
    begun.clear()
    released = threading.Event()

    def waiting(item: int) -> int:
        if item == 3:
            released.wait(10)
        return work(item)

    with pytest.raises(ZeroDivisionError):
        list(answers(waiting, [0, 3, 4, 5], at_once=1))
    released.set()
    assert begun in ([0], [0, 3])
