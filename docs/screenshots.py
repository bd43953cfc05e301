"""Makes the pictures in docs/images/ from the example project: `make screenshots`.

The example is built by dbt, pushed to a local console, then changed, as a pull request would. Chromium takes the
picture of the report, rich draws the terminal. Nothing but this machine is asked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from dbt_statsig.emulator import running

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
BIN = Path(sys.executable).parent
KEY = "console-emulator"
WIDTH = 100
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
EXPERIMENT = {
    "name": "Checkout redesign",
    "status": "active",
    "assignmentSourceName": "Shop exposures",
    "permalink": "https://console.statsig.com/experiments/checkout_redesign",
}
# What the pull request in the pictures changes: file, before, after.
CHANGES = (
    ("models/experiments/_experiments.yml", "userID: user_id\n", "userID: device_id\n"),
    (
        "models/experiments/_experiments.yml",
        "where: event_name = 'product_viewed'",
        "where: event_name = 'product_seen'",
    ),
    ("models/staging/_sources.yml", "timestamp_column: refunded_at", "timestamp_column: refund_time"),
)


def run(shop: Path, line: str, **more: str) -> str:
    """What a command prints, in colour; its exit code is whatever it is."""
    name, *words = line.split()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("DBT_", "STATSIG_"))}
    env |= {"FORCE_COLOR": "1", "PYTHONUTF8": "1", **more}
    done = subprocess.run([BIN / name, *words], cwd=shop, env=env, capture_output=True, text=True, check=False)
    if "Traceback" in done.stderr or not done.stdout:
        raise SystemExit(f"{line}: {done.stdout}{done.stderr}")
    return done.stdout


def draw(name: str, line: str, output: str) -> None:
    """An SVG of a terminal that shows the command and its output, without fonts from another host."""
    with (IMAGES / name).open("w", encoding="utf-8") as file, Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        console.print(Text.from_ansi(f"\x1b[2m$\x1b[0m {line}\n{output.rstrip()}"))
        svg = console.export_svg(title="dbt-statsig", theme=MONOKAI, unique_id=name.partition(".")[0])
        svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code, ", "")
        file.write(re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE))


def photograph(name: str, page: Path) -> None:
    """A picture of the first screen of a page."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise SystemExit(f"No browser: none of {', '.join(BROWSERS)} is installed. Set CHROMIUM to one.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        window = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        window.goto(page.as_uri())
        window.screenshot(path=IMAGES / name)
        browser.close()


def main() -> None:
    """Write all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, running() as console:
        shop = Path(scratch) / "tea_shop"
        shutil.copytree(ROOT / "example_project", shop, ignore=shutil.ignore_patterns("target", "logs", "*.duckdb"))
        reach = {"DBT_STATSIG_BASE_URL": console.url, "STATSIG_CONSOLE_API_KEY": KEY}
        for line in ("dbt build", "dbt docs generate"):
            run(shop, line)
        line = "dbt-statsig validate --select fct_exposures"
        draw("validate.svg", line, run(shop, line))
        draw("sync.svg", "dbt-statsig sync --quiet", run(shop, "dbt-statsig sync --quiet", **reach))
        base = Path(shutil.copytree(shop / "target", Path(scratch) / "base"))
        for path, before, after in CHANGES:
            text = (shop / path).read_text(encoding="utf-8")
            if before not in text:
                raise SystemExit(f"{path} has no {before!r}.")
            (shop / path).write_text(text.replace(before, after, 1), encoding="utf-8")
        run(shop, "dbt docs generate")
        console.emulator.api.experiments.edited("POST", "checkout_redesign", EXPERIMENT)
        page = Path(scratch) / "report.html"
        shown = run(shop, f"dbt-statsig plan --state {base} --report html:{page}", **reach)
        draw("plan.svg", "dbt-statsig plan --state base", shown.replace(f"{scratch}/", ""))
        page.write_text(
            page.read_text(encoding="utf-8").replace(f"{shop}/", "").replace(f"{scratch}/", ""), encoding="utf-8"
        )
        photograph("report.png", page)


if __name__ == "__main__":
    main()
