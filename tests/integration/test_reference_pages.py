"""The reference pages are those that the program itself gives."""

from __future__ import annotations

import runpy

import pytest
import yaml

from dbt_statsig.report.run_findings import RULES, page_of
from tests.integration.shop import ROOT

PAGES = runpy.run_path(str(ROOT / "docs" / "generate.py"))["PAGES"]


def test_each_finding_has_its_page() -> None:
    """There is a page for each code and for nothing else, at the address that reports link to."""
    assert {file.stem for file in (ROOT / "docs" / "findings").glob("*.md")} == set(RULES)
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["site_url"]
    assert page_of("column-absent") == f"{site}findings/column-absent/"
    assert page_of("no-such-code") == f"{site}findings/"


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_up_to_date(page: str) -> None:
    """Each page is as docs/generate.py makes it (run it to write them)."""
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == PAGES[page]()
