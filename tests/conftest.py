"""What holds for all tests: nothing is kept in the caches of whoever runs them."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.forked import MEASURED

if TYPE_CHECKING:
    from collections.abc import Iterator

# hypothesis has a profile of its own for continuous integration: no deadline, and the same examples each time.
if "CI" not in os.environ:
    settings.register_profile("loaded machine", deadline=None)
    settings.load_profile("loaded machine")

# A shell that puts the tests into the background has them ignore Ctrl-C, and every program that they start with them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more worker than processors: a fifth of the time goes to waiting for servers and for other processes."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Do not measure unit tests of many made inputs: measuring doubles their time, and single cases cover the lines."""
    for item in items:
        if "unit" in item.path.parts and getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("no_cover")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def measured_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in processes of their own count for the coverage."""
    monkeypatch.setenv(MEASURED, "1")
