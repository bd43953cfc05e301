"""The reference pages are those that the program itself gives."""

from __future__ import annotations

import runpy

import pytest

from tests.integration.shop import ROOT

PAGES = runpy.run_path(str(ROOT / "docs" / "generate.py"))["PAGES"]


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_up_to_date(page: str) -> None:
    """Each page is as docs/generate.py makes it (run it to write them)."""
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == PAGES[page]()
