"""ClickHouse as a library: one session for all tests of a process, which can have no second one."""

from __future__ import annotations

import functools
import importlib
from typing import Any


@functools.cache
def session() -> Any:
    """The session; each group of tests makes databases of its own."""
    chdb: Any = importlib.import_module("chdb.session")
    return chdb.Session()
