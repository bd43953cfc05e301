"""What holds for all tests: nothing is kept in the caches of whoever runs them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# hypothesis has a profile of its own for continuous integration: no deadline, and the same examples each time.
if "CI" not in os.environ:
    settings.register_profile("loaded machine", deadline=None)
    settings.load_profile("loaded machine")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
