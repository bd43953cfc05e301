"""The emulator's page in a real browser: it follows what happens, and asks the warehouse no more than it must."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.browser import Shown, chromium
from tests.integration.emulator.samples import BODIES, CREATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.integration.emulator.servers import Started

BODY = BODIES["metric_sources"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the module."""
    with chromium() as found:
        yield found


def test_it_follows_what_happens(api: Started, browser: Browser) -> None:
    """A new source, its request and a fault are shown without a reload; nothing is asked of another host."""
    window = browser.new_context()
    shown = Shown(window.new_page())
    shown.page.goto(api.server.url)
    assert shown.page.locator("#metric_sources h2").inner_text() == "Metric sources (0)"
    api.client.post(CREATES["metric_sources"], json=BODY)
    shown.page.locator("#metric_sources td", has_text=BODY["name"]).first.wait_for()
    shown.page.locator("#requests code", has_text=f"POST {CREATES['metric_sources']}").first.wait_for()
    assert all(url.startswith((api.server.url, "data:")) for url in shown.asked)
    assert not shown.said
    window.close()
