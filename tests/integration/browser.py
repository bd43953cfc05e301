"""A real browser for the HTML page: Playwright drives the Chromium of this machine, for it brings none of its own."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run"),
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, started and ended; skips, and says why, where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="no browser: the package playwright is not installed")
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Shown:
    """A page that is open, with all that it said to the console and all that it asked of a network."""

    def __init__(self, page: Page) -> None:
        """Listen to the page from before its first byte."""
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    @property
    def count(self) -> str:
        """How many sources are shown, as the page says it."""
        return self.page.locator("#count").inner_text()

    def until_none(self, selector: str) -> None:
        """Wait until nothing fits the selector, without code in the page: its policy forbids what is not its own."""
        self.page.locator(selector).first.wait_for(state="detached")

    def after_filtering(self) -> None:
        """Wait until the page has drawn what was asked for."""
        self.page.locator("#list:not([aria-busy])").wait_for()


@contextmanager
def opened(browser: Browser, file: Path, *, script: str = "", **context: Any) -> Iterator[Shown]:
    """The file in a window of its own; `script` runs before the page's own."""
    window = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
    page = window.new_page()
    if script:
        page.add_init_script(script)
    shown = Shown(page)
    page.goto(file.as_uri())
    yield shown
    window.close()
