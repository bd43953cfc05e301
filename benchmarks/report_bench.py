"""Times and sizes of the reports: `python benchmarks/report_bench.py [sources]`, 2,000 unless told.

Each renderer is run in turn, five times after a warm-up; what counts is the median. With Playwright and a Chromium the
page is opened and filtered too, and its longest task is told.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from dbt_statsig.report.formats import FORMATS, rendered  # noqa: E402 - the samples are the tests' own
from dbt_statsig.report.subject import Subject  # noqa: E402
from tests.unit.report import many  # noqa: E402

LIMIT_SECONDS = 0.3
LIMIT_BYTES = 5_000_000
LIMIT_TASK_MS = 200
ROUNDS = 5
# A task is timed by the clock, so the best of some openings tells of the page and not of the machine.
OPENINGS = 3
OBSERVED = """window.tasks = [];
new PerformanceObserver(list => list.getEntries().forEach(entry => tasks.push(entry.duration)))
  .observe({type: 'longtask', buffered: true});"""


def median_of(form: str, subject: Subject) -> float:
    """The median processor time of one renderer, in seconds: whatever else the machine does."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        rendered(form, subject)
        times.append(time.process_time() - started)
    return statistics.median(times)


def longest_tasks(page: Path) -> dict[str, float]:
    """The longest task of each act on the page, in milliseconds; empty without Playwright or Chromium."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if find_spec("playwright") is None or program is None:
        return {}
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - may be absent

    found: dict[str, float] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        window = browser.new_page(viewport={"width": 1280, "height": 900})
        window.add_init_script(OBSERVED)
        acts = {
            "open the page": lambda: window.goto(page.as_uri()),
            "search": lambda: window.fill("#search", "checkout"),
            "empty the search": lambda: window.fill("#search", ""),
            "choose a state": window.locator(".tile").last.click,
            "choose a kind": lambda: window.select_option("#kind", index=1),
            "go to the end": lambda: window.evaluate("scrollTo(0, document.body.scrollHeight)"),
            "open all rows": lambda: window.click("#open"),
        }
        for _ in range(OPENINGS):
            for name, act in acts.items():
                act()
                window.wait_for_timeout(1_000)
                longest = window.evaluate("Math.max(0, ...tasks.splice(0))")
                found[name] = min(found.get(name, longest), longest)
        browser.close()
    return found


def main() -> int:
    """Print every figure beside its limit; 1 where one is missed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    subject = Subject.of(many.synced(count))
    missed = 0
    print(f"{count:,} sources")
    for form in FORMATS:
        text = rendered(form, subject)
        seconds, size = median_of(form, subject), len(text.encode())
        missed += seconds > LIMIT_SECONDS or (form == "html" and size > LIMIT_BYTES)
        share = seconds / LIMIT_SECONDS
        print(f"  {form:<9} {seconds * 1000:7.0f} ms  {share:5.2f} of the limit  {size / 1e6:7.2f} MB")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(rendered("html", subject), encoding="utf-8")
        tasks = longest_tasks(page)
    for name, duration in tasks.items():
        missed += duration > LIMIT_TASK_MS
        print(f"  {name:<18} longest task {duration:4.0f} ms  {duration / LIMIT_TASK_MS:5.2f} of the limit")
    if not tasks:
        print("  not opened: Playwright or Chromium is missing")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
