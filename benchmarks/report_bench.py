"""Times and sizes of the reports: `python benchmarks/report_bench.py [--sources 2000] [--models 5000]`.

Each renderer is run in turn, five times after a warm-up; what counts is the median. With Playwright and a Chromium the
page is opened and filtered too, and its longest task is told. Then whole runs of `validate` on a made project take
turns: without a report, with each, and with all of them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from process import Run, measure  # noqa: E402 - found beside this file

from dbt_statsig.report.formats import FORMATS, format_named  # noqa: E402 - the samples are the tests' own
from dbt_statsig.report.subject import Subject  # noqa: E402
from tests.unit.report import many  # noqa: E402

LIMIT_SECONDS = 0.3
LIMIT_BYTES = 5_000_000
LIMIT_TASK_MS = 200
ROUNDS = 5
# What the benchmark of `validate` allows, over a Python that starts and loads the manifest as JSON.
LIMIT_OF_RUN = 1.2
MARKED_EACH = 100
LOAD = "import json, sys; json.load(open(sys.argv[1], encoding='utf-8'))"
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
        format_named(form).render(subject)
        times.append(time.process_time() - started)
    return statistics.median(times)


def longest_tasks(page: Path) -> dict[str, float]:
    """The longest task of each act on the page, in milliseconds; empty without Playwright or Chromium."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if find_spec("playwright") is None or program is None:
        return {}
    from playwright.sync_api import sync_playwright  # may be absent

    found: dict[str, float] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        window = browser.new_page(viewport={"width": 1280, "height": 900})
        window.add_init_script(OBSERVED)
        acts: dict[str, Callable[[], object]] = {
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


def whole_runs(models: int, rounds: int) -> int:
    """Print what each report adds to a run; how many of them are over the limit."""
    tool = str(Path(sys.executable).with_name("dbt-statsig"))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project"
        make = [sys.executable, str(ROOT / "benchmarks" / "made_project.py"), str(folder), str(models)]
        subprocess.run([*make, str(max(1, models // MARKED_EACH))], check=True)
        environment = {**os.environ, "XDG_CACHE_HOME": str(Path(scratch) / "cache"), "NO_COLOR": "1"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def run(*words: str) -> Run:
            return Run(words, cwd=folder, env=environment)

        asked = {form: ("--report", f"{form}:target/report.{form}") for form in FORMATS}
        runs = {"floor": run(sys.executable, "-c", LOAD, str(folder / "target" / "manifest.json"))}
        runs["no report"] = run(tool, "validate", "--quiet")
        runs |= {form: run(tool, "validate", "--quiet", *words) for form, words in asked.items()}
        runs["all"] = run(tool, "validate", "--quiet", *(word for words in asked.values() for word in words))
        results = measure(runs, rounds=rounds)
    floor, plain = results.pop("floor"), results["no report"]
    print(f"validate of {models:,} models; {floor.seconds:.3f} s for Python and json.load")
    for name, result in results.items():
        more = result.cpu_seconds - plain.cpu_seconds
        share = result.seconds / floor.seconds
        print(
            f"  {name:<9} {result.seconds:7.3f} s  {share:5.2f} x the floor  {more * 1000:+5.0f} ms of processor time"
        )
    return sum(result.seconds > LIMIT_OF_RUN * floor.seconds for result in results.values())


def main() -> int:
    """Print every figure beside its limit; 1 where one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=2_000, help="sources of the reports")
    parser.add_argument("--models", type=int, default=5_000, help="models of the project (0: leave it out)")
    parser.add_argument("--rounds", type=int, default=7, help="how often each command runs")
    given = parser.parse_args()
    missed = renderers(given.sources)
    if given.models:
        missed += whole_runs(given.models, given.rounds)
    return int(missed > 0)


def renderers(count: int) -> int:
    """Print what each renderer takes and how the page behaves; how many figures are over their limit."""
    subject = Subject.of(many.synced(count))
    missed = 0
    print(f"{count:,} sources")
    for form in FORMATS:
        text = format_named(form).render(subject)
        seconds, size = median_of(form, subject), len(text.encode())
        missed += seconds > LIMIT_SECONDS or (form == "html" and size > LIMIT_BYTES)
        share = seconds / LIMIT_SECONDS
        print(f"  {form:<9} {seconds * 1000:7.0f} ms  {share:5.2f} of the limit  {size / 1e6:7.2f} MB")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(format_named("html").render(subject), encoding="utf-8")
        tasks = longest_tasks(page)
    for name, duration in tasks.items():
        missed += duration > LIMIT_TASK_MS
        print(f"  {name:<18} longest task {duration:4.0f} ms  {duration / LIMIT_TASK_MS:5.2f} of the limit")
    if not tasks:
        print("  not opened: Playwright or Chromium is missing")
    return missed


if __name__ == "__main__":
    sys.exit(main())
